"""WHIP and WHEP: publishing and watching over one HTTP request each (RFC 9725).

`Whip` joins an Sfu to HTTP; `create_app` makes an application of it; `serve` runs the SFU alone.
"""

from media.whip.admission import Action, Admission, Authorize, Gate
from media.whip.app import create_app
from media.whip.endpoint import Whip
from media.whip.serving import serve
from media.whip.session import Session

__all__ = ["Action", "Admission", "Authorize", "Gate", "Session", "Whip", "create_app", "serve"]
