/**
 * The filter: a plain input under a coloured copy of its text, completion of keys and operators, and the server's error
 * under the character it speaks of. Enter applies, Escape gives back what is applied.
 */
import { memo, useId, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { KeyInfo } from "../../api/keys";
import { useKeys } from "../../lib/keyboard";
import { Icon } from "../../ui/Icon";
import { offersFor, take, type Offer } from "./completion";
import type { QueryError } from "./query-error";
import { slotAt, tokenize } from "./query-tokens";

interface Props {
  readonly value: string;
  readonly keys: readonly KeyInfo[];
  readonly error: QueryError | null;
  readonly onApply: (filter: string) => void;
}

export const QueryInput = memo(function QueryInput({ value, keys, error, onApply }: Props) {
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState<number | null>(null);
  const [chosen, setChosen] = useState(-1);
  const [left, setLeft] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  // Where the caret goes once an accepted offer stands in the input: before the next key is typed, not a frame later.
  const placed = useRef<{ readonly text: string; readonly caret: number } | null>(null);
  useLayoutEffect(() => {
    const next = placed.current;
    placed.current = null;
    if (next !== null && next.text === text) input.current?.setSelectionRange(next.caret, next.caret);
  }, [text]);
  const id = useId();
  const [applied, setApplied] = useState(value);
  if (applied !== value) {
    // Applied from elsewhere: undo, a saved view, the clear button.
    setApplied(value);
    setText(value);
  }
  useKeys({ "/": () => input.current?.focus() });

  const slot = useMemo(() => (caret === null ? null : slotAt(text, caret)), [text, caret]);
  const offers = useMemo(() => (slot === null ? [] : offersFor(slot, keys)), [slot, keys]);
  const tokens = useMemo(() => tokenize(text), [text]);
  const place = error?.at ?? null;

  const edit = (next: string, at: number): void => {
    setText(next);
    setCaret(at);
    setChosen(-1);
  };
  const accept = (offer: Offer): void => {
    if (slot === null) return;
    const next = take(text, slot, offer);
    edit(next.text, next.caret);
    placed.current = next;
  };
  const apply = (): void => {
    setCaret(null);
    onApply(text.trim());
  };
  const onKeyDown = (event: React.KeyboardEvent<HTMLInputElement>): void => {
    const offer = offers[chosen];
    if (event.key === "ArrowDown" && offers.length > 0) setChosen((chosen + 1) % offers.length);
    else if (event.key === "ArrowUp" && offers.length > 0) setChosen((chosen <= 0 ? offers.length : chosen) - 1);
    else if ((event.key === "Enter" || event.key === "Tab") && offer !== undefined) accept(offer);
    else if (event.key === "Enter") apply();
    else if (event.key === "Escape" && caret !== null && offers.length > 0) setCaret(null);
    else if (event.key === "Escape") {
      setText(value);
      input.current?.blur();
    } else return;
    event.preventDefault();
  };
  const follow = (): void => {
    const element = input.current;
    if (element === null || document.activeElement !== element) return;
    setCaret(element.selectionStart ?? text.length);
    setLeft(element.scrollLeft);
  };
  const isOpen = caret !== null && offers.length > 0;
  return (
    <div className="query">
      <div className={`query-box${error === null ? "" : " is-wrong"}`}>
        <Icon name="search" />
        <div className="query-text">
          <pre aria-hidden="true" style={{ transform: `translateX(${-left}px)` }}>
            {tokens.map((token) => {
              const isPlace = place !== null && text === value && place >= token.at && place < token.at + token.text.length;
              return (
                <span key={token.at} className={`is-${token.kind}${isPlace ? " is-place" : ""}`}>
                  {token.text}
                </span>
              );
            })}
            {place !== null && text === value && place >= text.length && <span className="is-place"> </span>}
          </pre>
          <input
            ref={input}
            value={text}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            placeholder="Filter runs: status = 'finished' and metrics.loss < 0.3"
            aria-label="Filter runs"
            role="combobox"
            aria-expanded={isOpen}
            aria-controls={`${id}-offers`}
            aria-autocomplete="list"
            aria-activedescendant={isOpen && chosen >= 0 ? `${id}-${chosen}` : undefined}
            aria-invalid={error !== null}
            aria-describedby={error === null ? undefined : `${id}-error`}
            onChange={(event) => edit(event.target.value, event.target.selectionStart ?? event.target.value.length)}
            onKeyDown={onKeyDown}
            onKeyUp={(event) => (event.key === "ArrowLeft" || event.key === "ArrowRight" ? follow() : undefined)}
            onClick={follow}
            onFocus={follow}
            onScroll={(event) => setLeft(event.currentTarget.scrollLeft)}
            onBlur={() => {
              setCaret(null);
              if (text.trim() !== value) apply();
            }}
          />
        </div>
        {text === "" ? (
          <kbd aria-hidden="true">/</kbd>
        ) : (
          <button type="button" className="query-clear" aria-label="Clear the filter" onClick={() => onApply("")}>
            <Icon name="close" size={12} />
          </button>
        )}
      </div>
      {isOpen && (
        <div className="query-offers thin-scroll" role="listbox" id={`${id}-offers`} aria-label="Suggestions">
          {offers.map((offer, i) => (
            <div
              key={offer.text}
              id={`${id}-${i}`}
              role="option"
              aria-selected={i === chosen}
              onPointerDown={(event) => {
                event.preventDefault();
                accept(offer);
              }}
            >
              <code>{offer.text}</code>
              <small>{offer.hint}</small>
            </div>
          ))}
        </div>
      )}
      {error !== null && (
        <p className="query-error" id={`${id}-error`} role="alert">
          {error.message}
        </p>
      )}
    </div>
  );
});
