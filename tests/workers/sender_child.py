"""A sender process in a hurry, for the tests: it looks often and believes nothing for long."""

import django

django.setup()

from postroom.kit.logs import configure_logs  # noqa: E402
from postroom.workers.sender import Pace, main  # noqa: E402

if __name__ == "__main__":
    configure_logs(part="sender")
    main(Pace(poll_s=0.1, watch_s=0.2, recover_s=0.5, lease_s=2.0, finish_within_s=3.0))
