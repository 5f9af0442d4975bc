package syncproto

// Error returns the code's short name, as logs and SPEC 11 use it. It never
// holds content.
func (c Code) Error() string { return c.words().name }

// Plain returns what the person concerned reads: what happened to their words,
// and what to do. A code of a newer server has a text of its own.
func (c Code) Plain() string { return c.words().plain }

type codeWords struct{ name, plain string }

func (c Code) words() codeWords {
	switch {
	case c == CodeOK:
		return codeWords{"ok", "Your words are safe on the server."}
	case c < 20:
		return c.encodingWords()
	case c < 50:
		return c.changeWords()
	case c < 70:
		return c.accessWords()
	case c < 90:
		return c.workflowWords()
	}
	return c.serverWords()
}

func (c Code) encodingWords() codeWords {
	switch c {
	case CodeEmpty:
		return codeWords{"empty", "Nothing arrived at the server. Your words are still on this device and will be sent again."}
	case CodeMalformed:
		return codeWords{"malformed", "The server could not read what was sent. Your words are still on this device. If this happens again, export them and ask IT."}
	case CodeNotCanonical:
		return codeWords{"not_canonical", "The server refused the form in which this was sent. Your words are still on this device. Export them and ask IT."}
	case CodeTooDeep:
		return codeWords{"too_deep", "The server refused what was sent because of the way it is built. Your words are still on this device. Export them and ask IT."}
	case CodeTooLarge:
		return codeWords{"too_large", "This is more than can be taken in one piece. Your words are still on this device. Save the text in shorter parts."}
	case CodeBadText:
		return codeWords{"bad_text", "The text holds characters that are damaged. Your words are still on this device. Correct the text, or export it and ask IT."}
	case CodeBadNumber:
		return codeWords{"bad_number", "A number in this entry is outside what can be stored. Your words are still on this device. Check the numbers and save again."}
	case CodeUnsupportedMedia:
		return codeWords{"unsupported_media", "The server did not recognise what was sent. Your words are still on this device. Update the app, or ask IT."}
	case CodeContentEncoding:
		return codeWords{"content_encoding", "What was sent came in a packed form that the server does not take. Your words are still on this device. Ask IT to look at the network."}
	case CodeBadID:
		return codeWords{"bad_id", "The link or number used does not name anything. Check it, or go back and open the record again."}
	case CodeBadCursor:
		return codeWords{"bad_cursor", "This device has lost its place in the news. It will compare with the server and catch up by itself. Nothing is lost."}
	case CodeUnknownEpoch:
		return codeWords{"unknown_epoch", "The server was restored. This device will compare with it and send again what it lacks. Nothing is lost."}
	case CodeUnsupportedVersion:
		return codeWords{"unsupported_version", "This app and the server speak different versions. Your words are still on this device. Update the app when you can."}
	}
	return c.unknownWords()
}

func (c Code) changeWords() codeWords {
	switch c {
	case CodeIDMismatch:
		return codeWords{"id_mismatch", "This entry was altered on its way. The server did not take it, and your words are still on this device. It will be sent again."}
	case CodeBadSignature:
		return codeWords{"bad_signature", "The server could not confirm that this device sent the entry. Your words are still on this device. If this happens again, ask IT to enrol the device again."}
	case CodeWrongDevice:
		return codeWords{"wrong_device", "This entry belongs to another person or device. The server did not take it from here. It is still on this device; ask IT."}
	case CodeUnknownKey:
		return codeWords{"unknown_key", "This device is not yet known to the server. Your words are still on this device and will be sent again until its enrolment is complete."}
	case CodeWrongBorough:
		return codeWords{"wrong_borough", "This entry belongs to another borough. The server did not take it. It is still on this device; export it and ask IT."}
	case CodeTooManyDeps:
		return codeWords{"too_many_deps", "Too many versions were joined in one step. Your words are still on this device. Sync, then save again."}
	case CodeSelfDep:
		return codeWords{"self_dep", "The server refused this entry because its history is not in order. Your words are still on this device. Export them and ask IT."}
	case CodeForeignDep:
		return codeWords{"foreign_dep", "This entry was built on another record. The server did not take it. Your words are still on this device. Export them and ask IT."}
	case CodeMissingDeps:
		return codeWords{"missing_deps", "Your words are stored. They will show for others as soon as an earlier entry, still on another device, has arrived."}
	case CodeMissingPrev:
		return codeWords{"missing_prev", "Your words are stored. They will show for others as soon as an earlier entry of yours has arrived."}
	case CodeNewerApp:
		return codeWords{"newer_app", "This was written with a newer app. It is stored in full and will show once this app is up to date."}
	case CodeUnknownField:
		return codeWords{"unknown_field", "This entry fills in something that the form does not have. The server did not take it. Your words are still on this device. Export them and ask IT."}
	case CodeBadValue:
		return codeWords{"bad_value", "One of the answers is not among those allowed here. Your words are still on this device. Correct the answer and save again."}
	case CodeBadOp:
		return codeWords{"bad_op", "This part of the record cannot be changed in that way. Your words are still on this device. Add a new entry instead."}
	case CodeWrongRecord:
		return codeWords{"wrong_record", "This record belongs to another family or is of another kind. The server did not take the entry. It is still on this device; export it and ask IT."}
	case CodeForked:
		return codeWords{"forked", "Two devices have been writing under one name, as happens when a tablet is copied. Both sets of words are kept. Ask IT to enrol this device again."}
	case CodeBadPosition:
		return codeWords{"bad_position", "This edit does not fit the text that it was made on. The server did not take it. Your words are still on this device. Copy them into the record as it is now."}
	case CodeCycle:
		return codeWords{"cycle", "The server refused this entry because its history runs in a circle. Your words are still on this device. Export them and ask IT."}
	case CodeFutureTime:
		return codeWords{"future_time", "Your words are stored. The clock of this device is wrong; the record says so. Set the clock."}
	case CodeNotPlaced:
		return codeWords{"not_placed", "Your words are stored and locked away, because the server failed when it worked them into the record. A reviewer can read them. IT has been told."}
	case CodeErased:
		return codeWords{"erased", "This record was erased for good while you were writing. Your words are stored and locked away. A reviewer decides what becomes of them."}
	case CodeMisfiled:
		return codeWords{"misfiled", "This record was moved to another family's file: it had been written into the wrong one. Words that came later are stored and locked away. A reviewer of that file decides what becomes of them."}
	case CodeLogRewritten:
		return codeWords{"log_rewritten", "The server cannot show that its log still holds what this device saw of it before. Go on recording: your words are kept here and are still sent. Tell IT and the information governance officer today."}
	}
	return c.unknownWords()
}

func (c Code) accessWords() codeWords {
	switch c {
	case CodeUnauthenticated:
		return codeWords{"unauthenticated", "Please sign in again. Your words are on this device and will be sent after that."}
	case CodeNotEntitled:
		return codeWords{"not_entitled", "Your words are stored and locked away: you were no longer assigned to this family when they arrived. A reviewer decides what becomes of them."}
	case CodeDeniedField:
		return codeWords{"denied_field", "Your words are stored and locked away: somebody in your role cannot change this part of the record. A reviewer decides what becomes of them."}
	case CodeBuildsOnQuarantine:
		return codeWords{"builds_on_quarantine", "Your words are stored and locked away, because they continue an entry that a reviewer still has to decide."}
	case CodeRevokedDevice:
		return codeWords{"revoked_device", "Your words are stored and locked away: this device had been withdrawn before they arrived. A reviewer decides what becomes of them."}
	case CodeForbidden:
		return codeWords{"forbidden", "You may not do this. If you need to, ask your manager."}
	case CodeNotFound:
		return codeWords{"not_found", "There is nothing here that you can open. Check the link, or ask the person who sent it."}
	case CodeCustodyFull:
		return codeWords{"custody_full", "Your words are still on this device. So much of yours waits for a reviewer that the server takes no more until some of it was decided; then they will be sent by themselves. Tell your manager."}
	case CodeAccessEnded:
		return codeWords{"access_ended", "Your access from this device has ended. Words that you had not sent yet go to a reviewer, under your name. If this is wrong, ask your manager."}
	case CodeRecovered:
		return codeWords{"recovered", "Two people recovered your words from a tablet that was lost or locked. They are stored and locked away. A reviewer decides what becomes of them."}
	case CodeKeptAway:
		return codeWords{"kept_away", "Your words are stored and stay locked away: a reviewer looked at them and decided that they do not become part of the record. Ask your manager why."}
	case CodeBadCredentials:
		return codeWords{"bad_credentials", "The name, password or code is not right. Try again, or ask IT for a new one."}
	case CodeStepUp:
		return codeWords{"step_up", "This step needs you to sign in again, to show that it is you. Nothing has been changed yet."}
	case CodeBadProof:
		return codeWords{"bad_proof", "The server could not tell that this came from your device. Your words are still on this device and will be sent again. If it goes on, sign in again."}
	case CodeUnlinked:
		return codeWords{"unlinked", "Your sign-in worked, but it belongs to no account here yet. Ask IT to link it."}
	case CodeNoRole:
		return codeWords{"no_role", "Your sign-in worked, but none of your groups may use this. Ask IT."}
	case CodeUnconfirmed:
		return codeWords{"unconfirmed", "Your sign-in worked, but your address has not been confirmed there. Ask IT to confirm it."}
	case CodeSignInFailed:
		return codeWords{"sign_in_failed", "The sign-in was not completed. Begin again. If it goes on, ask IT."}
	case CodeBadPasskey:
		return codeWords{"bad_passkey", "This passkey could not be checked. Try again or use your password, and tell IT."}
	}
	return c.unknownWords()
}

func (c Code) workflowWords() codeWords {
	switch c {
	case CodeLate:
		return codeWords{"late", "The record was already final when your words arrived. They are stored as a proposed addendum, under your name, and a coordinator will see them."}
	case CodeFinal:
		return codeWords{"final", "The record is final and stays as it is. Add an addendum instead."}
	case CodeOpenConflict:
		return codeWords{"open_conflict", "Two people wrote different things here. Somebody entitled must decide before the record can be final."}
	case CodeOpenQuery:
		return codeWords{"open_query", "A question about this record has not been answered. Answer it before the record can be final."}
	case CodeMissingField:
		return codeWords{"missing_field", "Something that the final record needs has not been filled in."}
	case CodeHeldChanges:
		return codeWords{"held_changes", "Some entries of this record wait for others that have not arrived. It can be final once they are here."}
	case CodeStaleHeads:
		return codeWords{"stale_heads", "Something new arrived while you were looking. Nothing was made final. Read the new version and try again."}
	case CodeNotConfirmed:
		return codeWords{"not_confirmed", "The author has not confirmed this version. Ask them to read and confirm it."}
	case CodeNotHandedOver:
		return codeWords{"not_handed_over", "The author has not handed this record over yet."}
	case CodeLeased:
		return codeWords{"leased", "Another coordinator is preparing this record. Try again later, or ask them."}
	case CodeLostToEarlier:
		return codeWords{"lost_to_earlier", "Your entry is kept, but somebody else's came first and counts. Look at it, and make a new entry if it is wrong."}
	case CodeUnreviewed:
		return codeWords{"unreviewed", "Part of this text was written down by a machine and nobody has checked it. Read it and accept it first."}
	case CodeUnreadOverlap:
		return codeWords{"unread_overlap", "Two people changed the same sentence without knowing of each other. Both sets of words are there. Somebody must read it before the record can be final."}
	}
	return c.unknownWords()
}

func (c Code) serverWords() codeWords {
	switch c {
	case CodeUnavailable:
		return codeWords{"unavailable", "The server cannot answer at the moment. Your words are on this device and will be sent later by themselves."}
	case CodeDiskFull:
		return codeWords{"disk_full", "The server has no room left. Your words are on this device and will be sent when IT has made room."}
	case CodeTooMany:
		return codeWords{"too_many", "The server is being asked too often. Your words are on this device and will be sent in a while by themselves."}
	case CodeInternal:
		return codeWords{"internal", "Something went wrong on the server. Your words are still on this device and will be sent again. IT has been told."}
	case CodeMethod:
		return codeWords{"method", "The server does not offer this. Update the app, or ask IT."}
	}
	return c.unknownWords()
}

func (c Code) unknownWords() codeWords {
	return codeWords{"unknown", "The server gave a reason that this app does not know. Your words are kept. Update the app to read more."}
}
