// A sign-in service for tests: prints its issuer once it listens, and ends with
// its standard input. Anybody signs in with any password; the
// argument says what it knows of them, as JSON by sub.
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const people = JSON.parse(process.argv[2]);

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const client = {
    application_type: "native",
    redirect_uris: ["http://127.0.0.1/signed-in", "http://localhost/app/signed-in", "http://localhost/desk/signed-in"],
    grant_types: ["authorization_code"],
    response_types: ["code"],
    require_auth_time: true,
  };
  const provider = new Provider(issuer, {
    clients: [
      { ...client, client_id: "doorstep", client_secret: "a secret of the service", token_endpoint_auth_method: "client_secret_basic" },
      { ...client, client_id: "doorstep-public", token_endpoint_auth_method: "none" },
    ],
    cookies: { keys: ["tests only"] },
    pkce: { required: () => true },
    conformIdTokenClaims: false,
    claims: {
      openid: ["sub"],
      profile: ["name", "preferred_username", "groups", "oid"],
      email: ["email", "email_verified"],
    },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub, ...people[sub] }) }),
    // Nobody is asked whether this server may know who they are: the borough decides that.
    loadExistingGrant: async (ctx) => {
      const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope("openid profile email");
      await grant.save();
      return grant;
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
