"""Everything that touches Matrix: a device of our own, the rooms, what comes in and what goes out.

Enters: rows (through `ports.MatrixRows`), the trust list, room records, and contents to send. Leaves: `Inbound` records in the
inbox table, and `Report`s to the application. matrix-nio serves as transport and Olm machine only; who may read and who is
believed is decided here (`trust`), what is kept is sealed here (`olm_store`), and exactly one function sends (`carrier`).

One road: `listener` (sync, T1) -> `machine` (decrypt) -> `receiving` (decide) -> inbox rows (T2); `carrier` -> `machine` -> PUT.
"""

from hub.matrix.crosssigning import CrossSigningSeeds, ensure_cross_signed, fingerprint
from hub.matrix.errors import MatrixError
from hub.matrix.facade import Account, Health, Matrix
from hub.matrix.ports import Inbound, MatrixRows, PeerPin, Report, RoomRecord, RoomSpec, StaffPin, TrustList

__all__ = [
    "Account",
    "CrossSigningSeeds",
    "Health",
    "Inbound",
    "Matrix",
    "MatrixError",
    "MatrixRows",
    "PeerPin",
    "Report",
    "RoomRecord",
    "RoomSpec",
    "StaffPin",
    "TrustList",
    "ensure_cross_signed",
    "fingerprint",
]
