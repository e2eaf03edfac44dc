"""What Graph's users and groups have for properties, and which of them come unasked."""

Record = dict[str, object]
"""An object's properties: absent was never set, None was cleared."""

USER_DEFAULT = (
    "id", "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
    "preferredLanguage", "surname", "userPrincipalName",
)  # fmt: skip
USER_PROPERTIES = frozenset(USER_DEFAULT) | {
    "accountEnabled", "ageGroup", "assignedLicenses", "assignedPlans", "city", "companyName", "country",
    "createdDateTime", "creationType", "deletedDateTime", "department", "employeeHireDate", "employeeId",
    "employeeLeaveDateTime", "employeeOrgData", "employeeType", "externalUserState",
    "externalUserStateChangeDateTime", "faxNumber", "identities", "imAddresses", "lastPasswordChangeDateTime",
    "legalAgeGroupClassification", "licenseAssignmentStates", "mailNickname", "manager",
    "onPremisesDistinguishedName", "onPremisesDomainName", "onPremisesExtensionAttributes",
    "onPremisesImmutableId", "onPremisesLastSyncDateTime", "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier", "onPremisesSyncEnabled", "onPremisesUserPrincipalName", "otherMails",
    "passwordPolicies", "postalCode", "preferredDataLocation", "provisionedPlans", "proxyAddresses",
    "securityIdentifier", "showInAddressList", "signInSessionsValidFromDateTime", "state", "streetAddress",
    "usageLocation", "userType",
}  # fmt: skip
OUTSIDE_THE_DIRECTORY = frozenset({
    "aboutMe", "birthday", "hireDate", "interests", "mailboxSettings", "mySite", "pastProjects", "preferredName",
    "responsibilities", "schools", "skills",
})  # fmt: skip
"""Properties of a user that no collection and no delta can give: they are kept by other services."""

GROUP_DEFAULT = (
    "id", "classification", "createdDateTime", "deletedDateTime", "description", "displayName", "groupTypes", "mail",
    "mailEnabled", "mailNickname", "membershipRule", "onPremisesSyncEnabled", "proxyAddresses", "securityEnabled",
    "visibility",
)  # fmt: skip
GROUP_PROPERTIES = frozenset(GROUP_DEFAULT) | {
    "assignedLicenses", "expirationDateTime", "hasMembersWithLicenseErrors", "isAssignableToRole",
    "isManagementRestricted", "licenseProcessingState", "members", "membershipRuleProcessingState",
    "onPremisesDomainName", "onPremisesLastSyncDateTime", "onPremisesNetBiosName", "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier", "owners", "preferredDataLocation", "preferredLanguage", "renewedDateTime",
    "securityIdentifier", "theme", "uniqueName",
}  # fmt: skip

COLLECTIONS = frozenset({
    "assignedLicenses", "assignedPlans", "businessPhones", "groupTypes", "identities", "imAddresses",
    "licenseAssignmentStates", "otherMails", "provisionedPlans", "proxyAddresses",
})  # fmt: skip
"""Properties that are an empty list, not null, where there is nothing in them."""


def only(record: Record, names: tuple[str, ...]) -> Record:
    """These properties of a record, those never set left out: how delta answers."""
    return {name: record[name] for name in names if name in record}


def every(record: Record, names: tuple[str, ...]) -> Record:
    """These properties of a record, those never set null or empty: how lists and single objects answer."""
    return {name: record.get(name, [] if name in COLLECTIONS else None) for name in names}
