-- HAProxy's side of Keyless' authz listener: two actions that ask over its Unix socket.

local SOCKET = "unix@/run/keyless/authz.sock"
-- What a credential may consist of. They are taken from Keyless alone, never from the client.
local HEADERS = { "authorization", "openai-organization", "openai-project", "anthropic-beta", "chatgpt-account-id" }

local function ask(path, rejected)
    local headers = { ["x-original-uri"] = { path } }
    if rejected then
        headers["x-keyless-rejected"] = { rejected }
    end
    return core.httpclient():get({ url = "http://localhost/", dst = SOCKET, headers = headers, timeout = 15000 })
end

-- Sets the credential, or leaves another status than 200 in txn.keyless_status.
core.register_action("keyless-credential", { "http-req" }, function(txn)
    local path = txn.sf:path()
    local answer = ask(path)
    txn:set_var("txn.keyless_path", path)
    txn:set_var("txn.keyless_status", answer.status)
    for _, name in ipairs(HEADERS) do
        txn.http:req_del_header(name)
        if answer.status == 200 and answer.headers[name] then
            txn.http:req_add_header(name, answer.headers[name][0])
        end
    end
    if answer.status == 200 then
        txn:set_var("txn.keyless_generation", answer.headers["x-keyless-generation"][0])
    end
end)

-- The API took this credential no longer: waits until Keyless holds the next one.
core.register_action("keyless-rejected", { "http-res" }, function(txn)
    ask(txn:get_var("txn.keyless_path"), txn:get_var("txn.keyless_generation"))
end)
