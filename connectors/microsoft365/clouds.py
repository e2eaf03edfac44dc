"""Microsoft's clouds: where Graph is asked and where it is signed in to.

Source: Microsoft, "Microsoft Graph national cloud deployments". Office 365 GCC is in the global cloud.
"""

from typing import NamedTuple


class Cloud(NamedTuple):
    """The hosts of one cloud; tokens of one are worth nothing in another."""

    graph: str
    login: str

    @property
    def scope(self) -> str:
        """What a token is asked for; the cloud's own root, also where Graph is reached through a proxy."""
        return f"https://{self.graph}/.default"


CLOUDS = {
    "global": Cloud("graph.microsoft.com", "login.microsoftonline.com"),
    "us-gov-high": Cloud("graph.microsoft.us", "login.microsoftonline.us"),
    "us-gov-dod": Cloud("dod-graph.microsoft.us", "login.microsoftonline.us"),
    "china": Cloud("microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn"),
}
GRAPH_HOSTS = frozenset(cloud.graph for cloud in CLOUDS.values())
LOGIN_HOSTS = frozenset({*(cloud.login for cloud in CLOUDS.values()), "login.partner.microsoftonline.cn"})
"""Where Microsoft's clouds sign in; the documentation of the one in China names two places."""
