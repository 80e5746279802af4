"""`python -m privet.sandbox DESCRIPTOR`: the template process."""

import sys

from privet.sandbox.template import serve

serve(int(sys.argv[1]))
