// A CSMS on ocpp-rpc (npm).
import { createRPCError, RPCServer } from "ocpp-rpc";
import { code, now, promised, step } from "./peer.js";

const [port, version] = process.argv.slice(2);
const server = new RPCServer({ protocols: [`ocpp${version}`], strictMode: true });

server.on("client", async (client) => {
    const [available, isAvailable] = promised();
    const [metered, isMetered] = promised();
    const [ended, isEnded] = promised();
    // The answer goes out first, then what follows from it.
    const after = (answer, settle, value) => {
        setImmediate(settle, value);
        return answer;
    };

    client.handle("Heartbeat", () => ({ currentTime: now() }));
    client.handle("DataTransfer", ({ params }) => {
        if (params.vendorId === "refuse") throw createRPCError("SecurityError", "not for you");
        return { status: "Accepted" };
    });
    client.handle("BootNotification", ({ params }) => {
        step("boot", params.chargePointModel ?? params.chargingStation.model);
        return { currentTime: now(), interval: 300, status: "Accepted" };
    });
    client.handle("StatusNotification", ({ params }) => {
        step("status", params.status ?? params.connectorStatus);
        return after({}, isAvailable);
    });
    if (version === "1.6") {
        client.handle("StartTransaction", ({ params }) => {
            step("start", params.idTag);
            return { transactionId: 42, idTagInfo: { status: "Accepted" } };
        });
        client.handle("MeterValues", ({ params }) => {
            step("meter", Number(params.meterValue[0].sampledValue[0].value));
            return after({}, isMetered, params.transactionId);
        });
        client.handle("StopTransaction", ({ params }) => {
            step("stop", params.transactionId);
            return after({}, isEnded);
        });
    } else {
        client.handle("TransactionEvent", ({ params }) => {
            const transaction = params.transactionInfo.transactionId;
            if (params.eventType === "Started") {
                step("start", params.idToken.idToken);
                return {};
            }
            if (params.eventType === "Updated") {
                step("meter", params.meterValue[0].sampledValue[0].value);
                return after({}, isMetered, transaction);
            }
            step("stop", transaction);
            return after({}, isEnded);
        });
    }

    await available;
    const start =
        version === "1.6"
            ? await client.call("RemoteStartTransaction", { idTag: "TOKEN" })
            : await client.call("RequestStartTransaction", {
                  idToken: { idToken: "TOKEN", type: "Central" }, remoteStartId: 1, evseId: 1,
              });
    step("remote_start", start.status);
    const transactionId = await metered;
    const action = version === "1.6" ? "RemoteStopTransaction" : "RequestStopTransaction";
    step("remote_stop", (await client.call(action, { transactionId })).status);
    await ended;
    const unlock = version === "1.6" ? { connectorId: 1 } : { evseId: 1, connectorId: 1 };
    step("refused", await code(client, "UnlockConnector", unlock));
    step("unknown_action", await code(client, "NoSuchAction", {}));
    step("invalid_payload", await code(client, "Reset", { type: "Sideways" }));
    step("done", "ok");
    client.once("close", () => process.exit(0));
});

await server.listen(Number(port), "127.0.0.1");
step("listening", Number(port));
