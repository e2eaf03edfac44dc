"""Everything that may happen to a provider and its customers."""

from tests.model.course import Course
from tests.model.hands import Hands
from tests.model.happenings import Happenings
from tests.model.trade import Trade


class Years(Happenings, Hands, Trade, Course):
    """Their years, in any order."""
