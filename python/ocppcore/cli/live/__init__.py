"""A CSMS and a fleet of stations that talk OCPP over real sockets: what `serve` and `simulate` run."""
