/** In place of a page's content: what is wrong, and a way on. What is not there is not there a moment later either. */
import { isWorthRetrying } from "../../api/client";
import { Link } from "../../ui/Link";
import { ErrorMessage } from "../../ui/Message";

interface Props {
  readonly title: string;
  readonly error: Error;
  readonly onRetry: () => void;
  /** Where to go when trying again cannot help. */
  readonly back: { readonly href: string; readonly label: string };
}

export function PageError({ title, error, onRetry, back }: Props) {
  if (isWorthRetrying(error)) return <ErrorMessage title={title} error={error} onRetry={onRetry} />;
  return (
    <ErrorMessage
      title={title}
      error={error}
      actions={
        <Link to={back.href} className="button">
          {back.label}
        </Link>
      }
    />
  );
}
