import { AppBar } from "../features/shell/AppBar";
import { useTitle } from "../features/shell/use-title";
import { Link } from "../ui/Link";
import { Message } from "../ui/Message";

export function NotFoundPage() {
  useTitle("Not found");
  return (
    <div className="page">
      <AppBar />
      <main className="page-message">
        <h1 className="sr-only">Not found</h1>
        <Message
          title="There is no such page"
          actions={
            <Link className="button" to="/">
              All experiments
            </Link>
          }
        >
          The address may be incomplete.
        </Message>
      </main>
    </div>
  );
}
