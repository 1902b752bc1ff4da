"""How hard Hypothesis tries: HYPOTHESIS_PROFILE=campaign runs thousands of new histories, the suite always the same."""

import os

from hypothesis import settings

settings.register_profile("suite", max_examples=300, derandomize=True, deadline=None, database=None, print_blob=True)
settings.register_profile("campaign", max_examples=5_000, deadline=None, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
