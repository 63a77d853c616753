"""What is measured against: the Structs and decoders that someone who knows msgspec well would write by hand.

Frozen and outside the garbage collector, closed, with `Literal` enumerations, lengths, bounds and real date-times; a decoder per
action, typed to the whole frame. It is msgspec at its best and not yet the same service: it must be told the action beforehand, takes
`null` for an absent optional and date-times that RFC 3339 refuses, and keeps the last of duplicate keys.

The enumerations are ocppcore's own: they are plain `Literal`s, and there is one copy of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ocppcore.v16 import enumerations as e16
from ocppcore.v201 import enumerations as e201

Id = Annotated[str, Meta(min_length=1, max_length=36)]
Str16 = Annotated[str, Meta(max_length=16)]
Str20 = Annotated[str, Meta(max_length=20)]
Str25 = Annotated[str, Meta(max_length=25)]
Str36 = Annotated[str, Meta(max_length=36)]
Str50 = Annotated[str, Meta(max_length=50)]
Str255 = Annotated[str, Meta(max_length=255)]
Str1000 = Annotated[str, Meta(max_length=1000)]
Str2500 = Annotated[str, Meta(max_length=2500)]
Time = Annotated[datetime, Meta(tz=True)]
CustomData = dict[str, Any]


class Base(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What all have in common; every wire name here is the plain camel case of its attribute."""


# --- 1.6 -------------------------------------------------------------------------------------------


class Heartbeat(Base, frozen=True, gc=False, kw_only=True):
    pass


class BootNotification(Base, frozen=True, gc=False, kw_only=True):
    charge_point_vendor: Str20
    charge_point_model: Str20
    charge_point_serial_number: Str25 | None = None
    charge_box_serial_number: Str25 | None = None
    firmware_version: Str50 | None = None
    iccid: Str20 | None = None
    imsi: Str20 | None = None
    meter_type: Str25 | None = None
    meter_serial_number: Str25 | None = None


class StatusNotification(Base, frozen=True, gc=False, kw_only=True):
    connector_id: int
    error_code: e16.ChargePointErrorCode
    info: Str50 | None = None
    status: e16.ChargePointStatus
    timestamp: Time | None = None
    vendor_id: Str255 | None = None
    vendor_error_code: Str50 | None = None


class SampledValue16(Base, frozen=True, gc=False, kw_only=True):
    value: str
    context: e16.ReadingContext | None = None
    format: e16.ValueFormat | None = None
    measurand: e16.Measurand | None = None
    phase: e16.Phase | None = None
    location: e16.Location | None = None
    unit: e16.UnitOfMeasure | None = None


class MeterValue16(Base, frozen=True, gc=False, kw_only=True):
    timestamp: Time
    sampled_value: list[SampledValue16]


class MeterValues(Base, frozen=True, gc=False, kw_only=True):
    connector_id: int
    transaction_id: int | None = None
    meter_value: list[MeterValue16]


# --- 2.0.1 -----------------------------------------------------------------------------------------


class Custom(Base, frozen=True, gc=False, kw_only=True):
    custom_data: CustomData | None = None


class SignedMeterValue(Custom, frozen=True, gc=False, kw_only=True):
    signed_meter_data: Str2500
    signing_method: Str50
    encoding_method: Str50
    public_key: Str2500


class UnitOfMeasure(Custom, frozen=True, gc=False, kw_only=True):
    unit: Str20 | None = None
    multiplier: int | None = None


class SampledValue(Custom, frozen=True, gc=False, kw_only=True):
    value: float
    context: e201.ReadingContextEnumType | None = None
    measurand: e201.MeasurandEnumType | None = None
    phase: e201.PhaseEnumType | None = None
    location: e201.LocationEnumType | None = None
    signed_meter_value: SignedMeterValue | None = None
    unit_of_measure: UnitOfMeasure | None = None


class MeterValue(Custom, frozen=True, gc=False, kw_only=True):
    sampled_value: Annotated[list[SampledValue], Meta(min_length=1)]
    timestamp: Time


class Transaction(Custom, frozen=True, gc=False, kw_only=True):
    transaction_id: Str36
    charging_state: e201.ChargingStateEnumType | None = None
    time_spent_charging: int | None = None
    stopped_reason: e201.ReasonEnumType | None = None
    remote_start_id: int | None = None


class Evse(Custom, frozen=True, gc=False, kw_only=True):
    id: int
    connector_id: int | None = None


class AdditionalInfo(Custom, frozen=True, gc=False, kw_only=True):
    additional_id_token: Str36
    type: Str50


class IdToken(Custom, frozen=True, gc=False, kw_only=True):
    additional_info: Annotated[list[AdditionalInfo], Meta(min_length=1)] | None = None
    id_token: Str36
    type: e201.IdTokenEnumType


class TransactionEvent(Custom, frozen=True, gc=False, kw_only=True):
    event_type: e201.TransactionEventEnumType
    meter_value: Annotated[list[MeterValue], Meta(min_length=1)] | None = None
    timestamp: Time
    trigger_reason: e201.TriggerReasonEnumType
    seq_no: int
    offline: bool | None = None
    number_of_phases_used: int | None = None
    cable_max_current: int | None = None
    reservation_id: int | None = None
    transaction_info: Transaction
    evse: Evse | None = None
    id_token: IdToken | None = None


class Component(Custom, frozen=True, gc=False, kw_only=True):
    evse: Evse | None = None
    name: Str50
    instance: Str50 | None = None


class Variable(Custom, frozen=True, gc=False, kw_only=True):
    name: Str50
    instance: Str50 | None = None


class VariableAttribute(Custom, frozen=True, gc=False, kw_only=True):
    type: e201.AttributeEnumType | None = None
    value: Str2500 | None = None
    mutability: e201.MutabilityEnumType | None = None
    persistent: bool | None = None
    constant: bool | None = None


class VariableCharacteristics(Custom, frozen=True, gc=False, kw_only=True):
    unit: Str16 | None = None
    data_type: e201.DataEnumType
    min_limit: float | None = None
    max_limit: float | None = None
    values_list: Str1000 | None = None
    supports_monitoring: bool


class ReportData(Custom, frozen=True, gc=False, kw_only=True):
    component: Component
    variable: Variable
    variable_attribute: Annotated[list[VariableAttribute], Meta(min_length=1, max_length=4)]
    variable_characteristics: VariableCharacteristics | None = None


class NotifyReport(Custom, frozen=True, gc=False, kw_only=True):
    request_id: int
    generated_at: Time
    report_data: Annotated[list[ReportData], Meta(min_length=1)] | None = None
    tbc: bool | None = None
    seq_no: int


DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    "Heartbeat": msgspec.json.Decoder(tuple[Literal[2], Id, Literal["Heartbeat"], Heartbeat]),
    "BootNotification": msgspec.json.Decoder(tuple[Literal[2], Id, Literal["BootNotification"], BootNotification]),
    "StatusNotification": msgspec.json.Decoder(
        tuple[Literal[2], Id, Literal["StatusNotification"], StatusNotification]
    ),
    "MeterValues": msgspec.json.Decoder(tuple[Literal[2], Id, Literal["MeterValues"], MeterValues]),
    "TransactionEvent": msgspec.json.Decoder(tuple[Literal[2], Id, Literal["TransactionEvent"], TransactionEvent]),
    "NotifyReport": msgspec.json.Decoder(tuple[Literal[2], Id, Literal["NotifyReport"], NotifyReport]),
}
"""The action whose CALL it reads -> the decoder of the whole frame."""
