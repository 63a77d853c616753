import eu.chargetime.ocpp.ClientEvents;
import eu.chargetime.ocpp.JSONClient;
import eu.chargetime.ocpp.feature.profile.ClientCoreEventHandler;
import eu.chargetime.ocpp.feature.profile.ClientCoreProfile;
import eu.chargetime.ocpp.model.Confirmation;
import eu.chargetime.ocpp.model.Request;
import eu.chargetime.ocpp.model.core.*;
import java.lang.reflect.Proxy;
import java.time.ZonedDateTime;
import java.util.concurrent.CompletableFuture;

/** A station on Java-OCA-OCPP, 1.6 only. */
public final class Station {
    public static void main(String[] arguments) throws Exception {
        CompletableFuture<String> started = new CompletableFuture<>();
        CompletableFuture<Integer> stopped = new CompletableFuture<>();
        CompletableFuture<Void> opened = new CompletableFuture<>();
        ClientCoreEventHandler handler =
                (ClientCoreEventHandler)
                        Proxy.newProxyInstance(
                                Station.class.getClassLoader(),
                                new Class<?>[] {ClientCoreEventHandler.class},
                                (proxy, method, given) -> {
                                    if (given[0] instanceof RemoteStartTransactionRequest) {
                                        String token = ((RemoteStartTransactionRequest) given[0]).getIdTag();
                                        Peer.step("remote_start", token);
                                        started.complete(token);
                                        return new RemoteStartTransactionConfirmation(RemoteStartStopStatus.Accepted);
                                    }
                                    if (given[0] instanceof RemoteStopTransactionRequest) {
                                        int id = ((RemoteStopTransactionRequest) given[0]).getTransactionId();
                                        Peer.step("remote_stop", id);
                                        stopped.complete(id);
                                        return new RemoteStopTransactionConfirmation(RemoteStartStopStatus.Accepted);
                                    }
                                    throw new IllegalStateException("not for you");
                                });
        ClientCoreProfile core = new ClientCoreProfile(handler);
        JSONClient client = new JSONClient(core, arguments[1]);
        client.addFeatureProfile(new Peer.Wrong("BootNotification", Peer.EmptyBoot.class));
        client.connect(
                arguments[0],
                new ClientEvents() {
                    @Override
                    public void connectionOpened() {
                        opened.complete(null);
                    }

                    @Override
                    public void connectionClosed() {
                        System.exit(0);
                    }
                });
        opened.get();

        BootNotificationConfirmation boot =
                (BootNotificationConfirmation) call(client, core.createBootNotificationRequest("V", "M"));
        Peer.step("boot", boot.getStatus());
        call(client, core.createStatusNotificationRequest(1, ChargePointErrorCode.NoError, ChargePointStatus.Available));
        Peer.step("status", "ok");
        StartTransactionConfirmation start =
                (StartTransactionConfirmation)
                        call(client, core.createStartTransactionRequest(1, started.get(), 0, ZonedDateTime.now()));
        Peer.step("start", start.getTransactionId());
        SampledValue sample = new SampledValue("21.5");
        sample.setMeasurand("Current.Import");
        sample.setUnit("A");
        MeterValuesRequest meter = core.createMeterValuesRequest(1, ZonedDateTime.now(), sample);
        meter.setTransactionId(start.getTransactionId());
        call(client, meter);
        Peer.step("meter", "ok");
        call(client, core.createStopTransactionRequest(10, ZonedDateTime.now(), stopped.get()));
        Peer.step("stop", "ok");
        Peer.step("refused", Peer.code(() -> client.send(core.createDataTransferRequest("refuse"))));
        Peer.step("unknown_action", Peer.code(() -> client.send(new Peer.NoSuchAction())));
        Peer.step("invalid_payload", Peer.code(() -> client.send(new Peer.EmptyBoot())));
        Peer.step("done", "ok");
    }

    private static Confirmation call(JSONClient client, Request request) throws Exception {
        return client.send(request).toCompletableFuture().get();
    }
}
