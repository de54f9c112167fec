/** What a tenant has: experiments, and the models that came out of them. */
import { Link } from "../../ui/Link";

export function HomeTabs({ isModels = false }: { readonly isModels?: boolean }) {
  return (
    <nav className="tabs" aria-label="Pages">
      <Link to="/" aria-current={isModels ? undefined : "page"}>
        Experiments
      </Link>
      <Link to="/models" aria-current={isModels ? "page" : undefined}>
        Models
      </Link>
    </nav>
  );
}
