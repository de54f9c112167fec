/** Who is signed in: the own sessions, and for whoever manages keys those that open the tenant. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { endSession, sessionsQuery } from "../../api/sign-in";
import { fullTime } from "../../lib/time";
import { ErrorMessage } from "../../ui/Message";
import { TableHead } from "../../ui/TableHead";

export function SessionsSection({ ownId }: { readonly ownId: string | null }) {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery(sessionsQuery);
  const end = useMutation({
    mutationFn: endSession,
    onSettled: () => queries.invalidateQueries({ queryKey: ["access"] }),
  });
  if (error !== null) return <ErrorMessage title="The sessions could not be read" error={error} onRetry={() => void refetch()} />;
  if (data === undefined || data.sessions.length === 0) return null;
  return (
    <section>
      <h2>Signed in now</h2>
      {end.error !== null && <ErrorMessage title="That did not work" error={end.error} />}
      <div className="plain-table-frame">
        <table className="plain-table">
          <TableHead columns={["Who", "Role", "Since", "Until"]} hasActions />
          <tbody>
            {data.sessions.map((session) => (
              <tr key={session.id}>
                <td className="break">{session.name}</td>
                <td className="break">
                  {Object.entries(session.tenants)
                    .map(([tenant, role]) => `${role} of ${tenant}`)
                    .join(", ")}
                </td>
                <td className="num">{fullTime(Date.parse(session.created_at))}</td>
                <td className="num">{fullTime(Date.parse(session.expires_at))}</td>
                <td className="key-actions">
                  {session.id === ownId ? (
                    "this page"
                  ) : (
                    <button
                      type="button"
                      className="button"
                      aria-label={`End the session of ${session.name}`}
                      disabled={end.isPending}
                      onClick={() => end.mutate(session.id)}
                    >
                      End
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
