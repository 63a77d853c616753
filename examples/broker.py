"""Payloads without a connection, from a queue or a database: `python examples/broker.py`."""

from ocppcore import Codec, OcppError, v16

codec = Codec("ocpp1.6")

# What a broker hands over: an action in its topic, and a payload.
messages = [
    ("StatusNotification", b'{"connectorId":1,"errorCode":"NoError","status":"Charging"}'),
    ("StatusNotification", b'{"connectorId":1,"errorCode":"NoError","status":"Sleeping"}'),
]

for action, data in messages:
    try:
        payload = codec.decode_payload(data, action, "request")
    except OcppError as error:
        print("refused:", error)
        continue
    match payload:
        case v16.StatusNotificationRequest(connector_id=connector, status=status):
            print(f"connector {connector} is {status}")
        case other:
            print("not looked at:", type(other).__name__)

print(codec.encode_payload(v16.ResetRequest(type="Soft")).decode())
