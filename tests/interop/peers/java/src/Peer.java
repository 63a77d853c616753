import eu.chargetime.ocpp.CallErrorException;
import eu.chargetime.ocpp.feature.ProfileFeature;
import eu.chargetime.ocpp.feature.profile.Profile;
import eu.chargetime.ocpp.model.Confirmation;
import eu.chargetime.ocpp.model.Request;
import eu.chargetime.ocpp.model.core.ResetConfirmation;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;

/** What both programs share. */
final class Peer {
    private Peer() {}

    /** Prints a line of JSON; `got` is a number, a text without quotes in it, or null. */
    static synchronized void step(String name, Object got) {
        String json = got == null || got instanceof Number ? String.valueOf(got) : "\"" + got + "\"";
        System.out.println("{\"step\": \"" + name + "\", \"got\": " + json + "}");
        System.out.flush();
    }

    /** The code with which a call was refused. */
    static String code(Callable<CompletionStage<Confirmation>> call) throws Exception {
        try {
            call.call().toCompletableFuture().get();
        } catch (ExecutionException error) {
            if (error.getCause() instanceof CallErrorException) {
                return ((CallErrorException) error.getCause()).getErrorCode();
            }
            throw error;
        }
        return "answered";
    }

    /** Calls that a correct program would not send: an action that does not exist, and a known one without what it must have. */
    static final class Wrong implements Profile {
        private final String known;
        private final Class<? extends Request> empty;

        Wrong(String known, Class<? extends Request> empty) {
            this.known = known;
            this.empty = empty;
        }

        @Override
        public ProfileFeature[] getFeatureList() {
            return new ProfileFeature[] {
                new WrongFeature(this, "NoSuchAction", NoSuchAction.class),
                new WrongFeature(this, known, empty),
            };
        }

        @Override
        public Confirmation handleRequest(UUID session, Request request) {
            throw new IllegalStateException("nobody sends this");
        }
    }

    private static final class WrongFeature extends ProfileFeature {
        private final String action;
        private final Class<? extends Request> type;

        WrongFeature(Profile profile, String action, Class<? extends Request> type) {
            super(profile);
            this.action = action;
            this.type = type;
        }

        @Override
        public Class<? extends Request> getRequestType() {
            return type;
        }

        @Override
        public Class<? extends Confirmation> getConfirmationType() {
            return ResetConfirmation.class;
        }

        @Override
        public String getAction() {
            return action;
        }
    }

    /** A request without a field. */
    abstract static class Empty implements Request {
        @Override
        public boolean transactionRelated() {
            return false;
        }

        @Override
        public boolean validate() {
            return true;
        }
    }

    static final class NoSuchAction extends Empty {}

    static final class EmptyBoot extends Empty {}

    static final class EmptyReset extends Empty {}
}
