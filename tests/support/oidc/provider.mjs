/**
 * A real identity provider for the tests: oidc-provider (MIT, certified by the OpenID Foundation) on a free port.
 *
 *   node provider.mjs <client id> <client secret> <redirect URI>
 *
 * Writes its issuer as the first line of standard output. Its own login form takes any name; the groups of a person are
 * what follows the first "@" of the name, with "+" between them.
 */
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { argv, stdout } from "node:process";
import { Provider } from "oidc-provider";

const [clientId, clientSecret, redirectUri] = argv.slice(2);

function signingKeys() {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  return [{ ...rsa, kid: "rsa-1", use: "sig", alg: "RS256" }];
}

function findAccount(_context, id) {
  const [name, groups = ""] = id.split("@", 2);
  const claims = { sub: id, preferred_username: name, groups: groups.split("+").filter((group) => group !== "") };
  return { accountId: id, claims: async () => claims };
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    claims: { openid: ["sub"], profile: ["preferred_username", "groups"] },
    conformIdTokenClaims: false,
    findAccount,
    features: { devInteractions: { enabled: true } },
    jwks: { keys: signingKeys() },
    pkce: { required: () => true },
    cookies: { keys: ["only-for-tests"] },
  });
  server.on("request", provider.callback());
  stdout.write(`${issuer}\n`);
});
