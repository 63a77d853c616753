import eu.chargetime.ocpp.JSONServer;
import eu.chargetime.ocpp.ServerEvents;
import eu.chargetime.ocpp.feature.profile.ServerCoreEventHandler;
import eu.chargetime.ocpp.feature.profile.ServerCoreProfile;
import eu.chargetime.ocpp.model.Confirmation;
import eu.chargetime.ocpp.model.Request;
import eu.chargetime.ocpp.model.SessionInformation;
import eu.chargetime.ocpp.model.core.*;
import java.lang.reflect.Proxy;
import java.time.ZonedDateTime;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/** A CSMS on Java-OCA-OCPP, 1.6 only. */
public final class Csms {
    /** How long the answer of a handler takes to go out before what follows from it, in milliseconds. */
    private static final long SETTLE = 100;

    private static final CompletableFuture<Void> available = new CompletableFuture<>();
    private static final CompletableFuture<Integer> metered = new CompletableFuture<>();
    private static final CompletableFuture<Void> stopped = new CompletableFuture<>();

    public static void main(String[] arguments) throws Exception {
        ServerCoreEventHandler handler =
                (ServerCoreEventHandler)
                        Proxy.newProxyInstance(
                                Csms.class.getClassLoader(),
                                new Class<?>[] {ServerCoreEventHandler.class},
                                (proxy, method, given) -> handle((Request) given[1]));
        ServerCoreProfile core = new ServerCoreProfile(handler);
        JSONServer server = new JSONServer(core);
        server.addFeatureProfile(new Peer.Wrong("Reset", Peer.EmptyReset.class));
        int port = Integer.parseInt(arguments[0]);
        server.open(
                "127.0.0.1",
                port,
                new ServerEvents() {
                    @Override
                    public void authenticateSession(SessionInformation information, String name, byte[] password) {}

                    @Override
                    public void newSession(UUID session, SessionInformation information) {
                        new Thread(() -> play(server, core, session)).start();
                    }

                    @Override
                    public void lostSession(UUID session) {
                        System.exit(0);
                    }
                });
        Peer.step("listening", port);
    }

    private static Confirmation handle(Request request) {
        if (request instanceof BootNotificationRequest) {
            Peer.step("boot", ((BootNotificationRequest) request).getChargePointModel());
            return new BootNotificationConfirmation(ZonedDateTime.now(), 300, RegistrationStatus.Accepted);
        }
        if (request instanceof HeartbeatRequest) {
            return new HeartbeatConfirmation(ZonedDateTime.now());
        }
        if (request instanceof StatusNotificationRequest) {
            Peer.step("status", ((StatusNotificationRequest) request).getStatus());
            available.complete(null);
            return new StatusNotificationConfirmation();
        }
        if (request instanceof StartTransactionRequest) {
            Peer.step("start", ((StartTransactionRequest) request).getIdTag());
            return new StartTransactionConfirmation(new IdTagInfo(AuthorizationStatus.Accepted), 42);
        }
        if (request instanceof MeterValuesRequest) {
            MeterValuesRequest meter = (MeterValuesRequest) request;
            Peer.step("meter", Double.valueOf(meter.getMeterValue()[0].getSampledValue()[0].getValue()));
            metered.complete(meter.getTransactionId());
            return new MeterValuesConfirmation();
        }
        if (request instanceof StopTransactionRequest) {
            Peer.step("stop", ((StopTransactionRequest) request).getTransactionId());
            stopped.complete(null);
            return new StopTransactionConfirmation();
        }
        throw new IllegalStateException("not for you");
    }

    private static void play(JSONServer server, ServerCoreProfile core, UUID station) {
        try {
            available.get();
            Thread.sleep(SETTLE);
            Request start = core.createRemoteStartTransactionRequest("TOKEN");
            Object started = server.send(station, start).toCompletableFuture().get();
            Peer.step("remote_start", ((RemoteStartTransactionConfirmation) started).getStatus());
            int transaction = metered.get();
            Thread.sleep(SETTLE);
            Request stop = core.createRemoteStopTransactionRequest(transaction);
            Object ended = server.send(station, stop).toCompletableFuture().get();
            Peer.step("remote_stop", ((RemoteStopTransactionConfirmation) ended).getStatus());
            stopped.get();
            Thread.sleep(SETTLE);
            Peer.step("refused", Peer.code(() -> server.send(station, core.createUnlockConnectorRequest(1))));
            Peer.step("unknown_action", Peer.code(() -> server.send(station, new Peer.NoSuchAction())));
            Peer.step("invalid_payload", Peer.code(() -> server.send(station, new Peer.EmptyReset())));
            Peer.step("done", "ok");
        } catch (Exception error) {
            error.printStackTrace();
            System.exit(1);
        }
    }
}
