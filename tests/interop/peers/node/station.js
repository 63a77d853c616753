// A station on ocpp-rpc (npm).
import { RPCClient } from "ocpp-rpc";
import { code, now, promised, step } from "./peer.js";

const [endpoint, identity, version] = process.argv.slice(2);
const client = new RPCClient({ endpoint, identity, protocols: [`ocpp${version}`], strictMode: true, reconnect: false });
const [started, start] = promised();
const [stopped, stop] = promised();

async function play16() {
    client.handle("RemoteStartTransaction", ({ params }) => {
        step("remote_start", params.idTag);
        start(params.idTag);
        return { status: "Accepted" };
    });
    client.handle("RemoteStopTransaction", ({ params }) => {
        step("remote_stop", params.transactionId);
        stop();
        return { status: "Accepted" };
    });
    const boot = await client.call("BootNotification", { chargePointModel: "M", chargePointVendor: "V" });
    step("boot", boot.status);
    await client.call("StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Available" });
    step("status", "ok");
    const idTag = await started;
    const { transactionId } = await client.call("StartTransaction", { connectorId: 1, idTag, meterStart: 0, timestamp: now() });
    step("start", transactionId);
    const sampledValue = [{ value: "21.5", measurand: "Current.Import", unit: "A" }];
    await client.call("MeterValues", { connectorId: 1, transactionId, meterValue: [{ timestamp: now(), sampledValue }] });
    step("meter", "ok");
    await stopped;
    await client.call("StopTransaction", { transactionId, meterStop: 10, timestamp: now() });
    step("stop", "ok");
}

async function play201() {
    client.handle("RequestStartTransaction", ({ params }) => {
        step("remote_start", params.idToken.idToken);
        start(params.idToken);
        return { status: "Accepted" };
    });
    client.handle("RequestStopTransaction", ({ params }) => {
        step("remote_stop", params.transactionId);
        stop();
        return { status: "Accepted" };
    });
    const event = (eventType, seqNo, more) =>
        client.call("TransactionEvent", {
            eventType, timestamp: now(), triggerReason: "RemoteStart", seqNo, transactionInfo: { transactionId: "T1" }, ...more,
        });
    const boot = await client.call("BootNotification", { reason: "PowerUp", chargingStation: { model: "M", vendorName: "V" } });
    step("boot", boot.status);
    await client.call("StatusNotification", { timestamp: now(), connectorStatus: "Available", evseId: 1, connectorId: 1 });
    step("status", "ok");
    const idToken = await started;
    await event("Started", 0, { idToken });
    step("start", "T1");
    await event("Updated", 1, { meterValue: [{ timestamp: now(), sampledValue: [{ value: 21.5, measurand: "Current.Import" }] }] });
    step("meter", "ok");
    await stopped;
    await event("Ended", 2, {});
    step("stop", "ok");
}

client.handle("Reset", () => {
    throw new Error("a Reset of no type came this far");
});
await client.connect();
await (version === "1.6" ? play16() : play201());
step("refused", await code(client, "DataTransfer", { vendorId: "refuse" }));
step("unknown_action", await code(client, "NoSuchAction", {}));
step("invalid_payload", await code(client, "BootNotification", { reason: "PowerUp" }));
step("done", "ok");
client.once("close", () => process.exit(0));
