// What both programs share.

export const step = (name, got) => console.log(JSON.stringify({ step: name, got: got ?? null }));

export const now = () => new Date().toISOString();

// A promise and what settles it.
export const promised = () => {
    let settle;
    const promise = new Promise((resolve) => (settle = resolve));
    return [promise, settle];
};

// The code with which a call is refused. The strict mode of ocpp-rpc would not let a bad call out.
export const code = async (client, method, params) => {
    client.reconfigure({ strictMode: false });
    try {
        await client.call(method, params);
    } catch (error) {
        return error.rpcErrorCode;
    }
    return "answered";
};
