"""Which application permissions open which feature; one of a set is enough."""

_DIRECTORY = {"Directory.Read.All", "Directory.ReadWrite.All"}

READ_USERS = frozenset({"User.Read.All", "User.ReadWrite.All", *_DIRECTORY})
READ_GROUPS = frozenset(
    {"GroupMember.Read.All", "GroupMember.ReadWrite.All", "Group.Read.All", "Group.ReadWrite.All", *_DIRECTORY}
)
READ_CLOSURES = READ_GROUPS | {"GroupMember.ReadBasic.All"}
READ_DELETED_GROUPS = frozenset({"Group.Read.All", "Group.ReadWrite.All", *_DIRECTORY})
READ_MAILBOXES = frozenset({"MailboxSettings.Read", "MailboxSettings.ReadWrite"})
READ_ORGANIZATION = frozenset({"Organization.Read.All", "Organization.ReadWrite.All", *_DIRECTORY})
READ_OBJECTS = READ_USERS | READ_GROUPS
READ_HIDDEN_MEMBERS = frozenset({"Member.Read.Hidden"})
