import { Component, type ComponentChildren } from "preact";
import { Box, plain } from "./basic";

/** What one part of a screen cannot show it says, and the rest of the screen stays. */
export class Fallible extends Component<{ children: ComponentChildren }, { failed: unknown }> {
  override state = { failed: undefined as unknown };

  static override getDerivedStateFromError(failed: unknown) {
    return { failed: failed ?? true };
  }

  override render() {
    if (this.state.failed === undefined) return this.props.children;
    return <Box kind="risk"><p class="govuk-body">{plain(this.state.failed)}</p></Box>;
  }
}
