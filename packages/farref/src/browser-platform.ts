/** What browsers know: nothing that core does not know itself, and which call a function is part of until its first `await`. */
import { type Platform, plainPlatform } from "@farref/core";
import { StackContext } from "./serialized/context.ts";
import { Turns } from "./serialized/turns.ts";

export const browserTurns = new Turns(new StackContext());
export const browserPlatform: Platform = { ...plainPlatform, passes: browserTurns };
