"""What a tenant does in its life, by the services themselves: every kind of row is made, changed and removed."""

import numpy as np

from gnomon_server.app import Server
from gnomon_server.model.batches import Identity, RunBatch
from gnomon_server.model.ids import TenantId
from gnomon_server.model.points import PointBatch


def live(server: Server, tenant_name: str, *, whole: bool) -> TenantId:
    """Make every kind of row; a whole life changes and removes them too."""
    services = server.services
    principal = services.access.principal(tenant_name)
    tenant = principal.tenant
    experiments, runs, ingest = services.experiments, services.runs, services.ingest
    made = experiments.create(principal, name="e", description="", artifact_location=None, tags={"a": "1", "b": "2"})
    uids = [
        runs.create(principal, experiment_uid=made.uid, name=f"r{number}", description="", tags={"t": "x"}).uid
        for number in range(3)
    ]
    for seq in range(3):
        for uid in uids:
            points = PointBatch(
                names=["a", "b"],
                key=np.array([0, 1], np.uint32),
                step=np.full(2, float(seq)),
                time_ms=np.full(2, seq, np.int64),
                value=np.full(2, seq / 2),
            )
            identity = Identity("w", seq)
            batch = RunBatch(uid, points, params={f"p{seq}": "1"}, tags={"t": str(seq)}, identity=identity)
            ingest.append(tenant, batch).wait()
            ingest.append(tenant, batch).wait()  # a repeat is counted
            ingest.append(tenant, RunBatch(uid, points)).wait()  # late: summaries are made again
    upload = services.artifacts.begin(principal, uids[0], "model.bin")
    upload.write(b"first")
    upload.commit()
    upload.close()
    if not whole:
        return tenant
    experiments.update(principal, made.uid, name="renamed", tags={"a": None, "b": "3"})
    runs.update(principal, uids[0], name="other", tags={"t": None}, status="failed")
    runs.end(principal, uids[1], status="finished", end_ms=None)
    for archive, restore in ((runs.archive, runs.restore), (experiments.archive, experiments.restore)):
        uid = made.uid if archive == experiments.archive else uids[2]
        archive(principal, uid)
        restore(principal, uid)
    upload = services.artifacts.begin(principal, uids[0], "model.bin")
    upload.write(b"second")
    upload.commit()
    upload.close()
    runs.archive(principal, uids[2])
    runs.purge(principal, uids[2])
    return tenant
