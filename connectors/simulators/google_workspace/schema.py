"""What Google's answers have for fields, which is what a `fields` mask may name."""

from collections.abc import Mapping
from typing import Union

Record = dict[str, object]
"""An object as JSON has it."""

Fields = Mapping[str, Union["Fields", None]]
"""The fields of a type, each with those of its own; None where nothing is below, or anything may be."""


def _leaves(text: str) -> dict[str, "Fields | None"]:
    return dict.fromkeys(text.split())


NAME: Fields = _leaves("displayName familyName fullName givenName")
USER: Fields = _leaves("""
    addresses agreedToTerms aliases archivalTime archived changePasswordAtNextLogin creationTime customSchemas
    customerId deletionTime emails etag externalIds gender id ims includeInGlobalAddressList ipWhitelisted isAdmin
    isDelegatedAdmin isEnforcedIn2Sv isEnrolledIn2Sv isGuestUser isMailboxSetup keywords kind languages lastLoginTime
    locations nonEditableAliases notes orgUnitPath organizations phones posixAccounts primaryEmail recoveryEmail
    recoveryPhone relations sshPublicKeys suspended suspensionReason suspensionTime thumbnailPhotoEtag
    thumbnailPhotoUrl websites
""") | {"name": NAME, "guestAccountInfo": _leaves("primaryGuestEmail")}
PUBLIC = frozenset({
    "addresses", "emails", "etag", "id", "kind", "locations", "name", "organizations", "phones", "primaryEmail",
    "relations", "thumbnailPhotoEtag", "thumbnailPhotoUrl",
})  # fmt: skip
"""What `viewType=domain_public` shows of a user."""
USERS: Fields = {**_leaves("etag kind nextPageToken trigger_event"), "users": USER}
GROUP: Fields = _leaves(
    "adminCreated aliases description directMembersCount email etag externalIds id kind name nonEditableAliases"
)
GROUPS: Fields = {**_leaves("etag kind nextPageToken"), "groups": GROUP}
MEMBER: Fields = _leaves("delivery_settings email etag id kind role status type")
MEMBERS: Fields = {**_leaves("etag kind nextPageToken"), "members": MEMBER}
HAS_MEMBER: Fields = _leaves("isMember")
UNIT: Fields = _leaves(
    "blockInheritance description etag kind name orgUnitId orgUnitPath parentOrgUnitId parentOrgUnitPath"
)
UNITS: Fields = {**_leaves("etag kind"), "organizationUnits": UNIT}
DOMAIN_ALIAS: Fields = _leaves("creationTime domainAliasName etag kind parentDomainName verified")
DOMAIN: Fields = {
    **_leaves("creationTime domainName etag isPrimary kind verified"),
    "domainAliases": DOMAIN_ALIAS,
}
DOMAINS: Fields = {**_leaves("etag kind"), "domains": DOMAIN}
CUSTOMER: Fields = _leaves(
    "alternateEmail customerCreationTime customerDomain etag id kind language phoneNumber postalAddress"
)
CHANNEL: Fields = _leaves("address expiration id kind params payload resourceId resourceUri token type")
ACTIVITY: Fields = _leaves(
    "actor etag events id ipAddress isAgenticAction kind networkInfo ownerDomain resourceDetails userDeviceInfo"
)
ACTIVITIES: Fields = {**_leaves("etag kind nextPageToken"), "items": ACTIVITY}
