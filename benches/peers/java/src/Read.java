import com.google.gson.Gson;
import eu.chargetime.ocpp.JSONCommunicator;
import eu.chargetime.ocpp.model.CallMessage;
import eu.chargetime.ocpp.model.Message;
import eu.chargetime.ocpp.model.Request;
import eu.chargetime.ocpp.model.core.BootNotificationRequest;
import eu.chargetime.ocpp.model.core.HeartbeatRequest;
import eu.chargetime.ocpp.model.core.MeterValuesRequest;
import eu.chargetime.ocpp.model.core.StatusNotificationRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Java-OCA-OCPP 1.6: its communicator's parse, its payload of a feature's class, its validate, as its Session does; json is gson alone. */
public final class Read {
    private static final Map<String, Class<? extends Request>> REQUESTS = Map.of(
            "Heartbeat", HeartbeatRequest.class,
            "BootNotification", BootNotificationRequest.class,
            "StatusNotification", StatusNotificationRequest.class,
            "MeterValues", MeterValuesRequest.class);

    static final class Kind { String name, subprotocol, action; List<String> frames; }
    static final class Fault { String name, subprotocol, action, frame; }
    static final class Given { int rounds; List<Kind> kinds; List<Fault> faults; }

    interface Reader { void read(byte[] frame) throws Exception; }

    static final class Communicator extends JSONCommunicator implements Reader {
        Communicator() { super(null); }

        @Override public void read(byte[] frame) throws Exception {
            Message message = parse(new String(frame, StandardCharsets.UTF_8));
            if (!(message instanceof CallMessage)) throw new Exception("no call");
            Class<? extends Request> type = REQUESTS.get(message.getAction());
            if (type == null) throw new Exception("unknown action");
            if (!unpackPayload(message.getPayload(), type).validate()) throw new Exception("not valid");
        }
    }

    private static boolean fine(Reader reader, byte[] frame) {
        try {
            reader.read(frame);
            return true;
        } catch (Exception refused) {
            return false;
        }
    }

    public static void main(String[] arguments) throws Exception {
        Gson gson = new Gson();
        Given given = gson.fromJson(Files.readString(Path.of(arguments[0])), Given.class);
        Reader reader = arguments[1].equals("json")
                ? frame -> gson.fromJson(new String(frame, StandardCharsets.UTF_8), Object.class)
                : new Communicator();
        boolean all = arguments[1].equals("json");
        Map<String, Integer> takes = new HashMap<>();
        Map<String, Double> times = new HashMap<>();
        List<String> refused = new ArrayList<>();
        for (Fault fault : given.faults) {
            if ((all || fault.subprotocol.equals("ocpp1.6")) && !fine(reader, fault.frame.getBytes(StandardCharsets.UTF_8)))
                refused.add(fault.name);
        }
        for (Kind kind : given.kinds) {
            if (!all && !kind.subprotocol.equals("ocpp1.6")) continue;
            List<byte[]> frames = new ArrayList<>();
            int size = 0, taken = 0;
            for (String frame : kind.frames) {
                frames.add(frame.getBytes(StandardCharsets.UTF_8));
                size += frame.length();
                if (fine(reader, frames.get(frames.size() - 1))) taken++;
            }
            takes.put(kind.name, taken);
            if (taken < frames.size()) continue;
            int passes = Math.max(1, 400_000 / size);
            double best = Double.MAX_VALUE;
            for (int round = 0; round < given.rounds; round++) {
                long start = System.nanoTime();
                for (int pass = 0; pass < passes; pass++) for (byte[] frame : frames) reader.read(frame);
                best = Math.min(best, (System.nanoTime() - start) / (double) (passes * frames.size()));
            }
            times.put(kind.name, best);
        }
        System.out.println(gson.toJson(Map.of("takes", takes, "refused", refused, "ns", times)));
    }
}
