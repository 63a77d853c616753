"""Wrong uses: a checker must report each line that says so. It is checked, never run."""

from __future__ import annotations

from ocppcore import Call, v16, v201

v201.ResetResponse(status="Bored")  # wrong
v201.BootNotificationRequest(reason="PowerUp")  # wrong
v201.ResetRequest(type="Immediate", evseId=1)  # wrong
v201.HeartbeatRequest().custom_data = {}  # wrong
v16.StopTransactionRequest(meter_stop="12", timestamp="now", transaction_id=1)  # wrong
frame: v16.Frame = Call("1", v201.HeartbeatRequest())  # wrong
answer: v201.ResetResponse = v201.ResetResponse(status="Accepted").status  # wrong
