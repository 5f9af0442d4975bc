package endtoend

// lastFault is the highest number of the list.
const lastFault = 104

// faultList is every fault by its number, which never changes.
func faultList() []faultPart {
	return []faultPart{
		{"Encoding", []fault{
			{1, "Empty body"}, {2, "Random bytes"}, {3, "Truncated at each byte"}, {4, "Bytes after the end"},
			{5, "Nested too deep"}, {6, "A header that announces a trillion items"}, {7, "Duplicate map keys"},
			{8, "Indefinite lengths"}, {9, "Numbers not in shortest form, keys out of order"},
			{10, "Unknown fields; ops of a newer app"}, {11, "Numbers outside the range"}, {12, "Wrong Content-Type"},
			{13, "Content-Encoding set"}, {14, "A small body that inflates to a huge one"},
			{15, "Content-Length wrong, or beside Transfer-Encoding"}, {16, "Header too long"},
			{17, "Odd paths: escaped dots, slashes, zero bytes, other case"}, {18, "Methods that no route takes"},
		}},
		{"Text", []fault{
			{19, "Half a surrogate pair, ill-formed UTF-8"}, {20, "Zero-width, right-to-left override, stacks of marks"},
			{21, "Composed and decomposed letters"}, {22, "An emoji cut by two people's edits"}, {23, "Control characters"},
			{24, "A narrative of 1 MB"}, {25, "A paste of 50 MB"}, {26, "Markup, script and formulas in a note"},
		}},
		{"Graph and ids", []fault{
			{27, "Bytes that are not what was signed"}, {28, "The same change again"}, {29, "Other bytes under a known id"},
			{30, "Parents that are not here yet"}, {31, "Parents that never come"}, {32, "A cycle"}, {33, "A change that names itself"},
			{34, "Ten thousand parents"}, {35, "A chain of a million changes"}, {36, "A parent in another record or family"},
			{37, "A parent that the author could not read"}, {38, "Two beginnings of one record"}, {39, "An op on an element that nobody knows"},
		}},
		{"Signatures and identity", []fault{
			{40, "A flipped bit in a signature"}, {41, "A signature by another device"}, {42, "An unknown key"},
			{43, "Forged tokens: no algorithm, the wrong one, a path as key id"}, {44, "Tokens without expiry or audience"},
			{45, "A recorded push sent again"}, {46, "A push of another borough"}, {47, "One person's session carrying another's changes on a shared tablet"},
			{48, "A cloned tablet"}, {49, "A revoked device that brings words from before"}, {50, "A worker who left with unsent notes"},
		}},
		{"Time", []fault{
			{51, "A device clock years ahead"}, {52, "A device clock in 1970"}, {53, "A device clock that jumps back"},
			{54, "Change of summer time, travel to another zone"}, {55, "Leap seconds, 2038, the year 10000"}, {56, "A server clock wrong by a day"},
		}},
		{"Sync protocol", []fault{
			{57, "A cursor beyond the head"}, {58, "Made-up and other people's cursors"}, {59, "A cursor of an older epoch"},
			{60, "The same change over two connections at once"}, {61, "Fifty devices on one record at once"},
			{62, "A line that is cut at any byte"}, {63, "A reply lost after the commit"}, {64, "Replies late, doubled, out of order"},
			{65, "One bad change among five hundred"}, {66, "Access revoked in the middle of a pull"}, {67, "Access revoked while words are unsent"},
			{68, "Access given back"}, {69, "A late edit of a final record"}, {70, "Two coordinators who finalise different versions"},
			{71, "Finalising while changes are held"}, {72, "A token that lapses on the way"}, {73, "A large photo over a poor signal"},
			{74, "Ten thousand devices that come back at once"}, {75, "Slow requests and slow readers"}, {76, "Apps two versions behind"},
		}},
		{"Disk and process", []fault{
			{77, "kill -9 at any moment"}, {78, "Power cut"}, {79, "A flipped bit anywhere"}, {80, "fsync fails"}, {81, "Disk full"},
			{82, "Read-only, remote or very slow disk"}, {83, "Two servers on one folder"}, {84, "A restored backup while tablets are ahead"},
			{85, "A backup from before an erasure"}, {86, "Keys lost or wrong"},
		}},
		{"Attachments and abuse", []fault{
			{87, "Bombs in archives, pictures and PDFs"}, {88, "Files that are two things at once, scripts in pictures"}, {89, "A virus"},
			{90, "The virus scanner is down"}, {91, "Hostile file names"}, {92, "A photo whose bytes are not its hash's"},
			{93, "Password guessing, locking a rival out"}, {94, "Guessing record ids by timing"}, {95, "One device that pushes a gigabyte of junk"},
		}},
		{"Client", []fault{
			{96, "Browser storage evicted"}, {97, "Storage full in the middle of typing"}, {98, "Killed in the middle of a keystroke"},
			{99, "Two tabs"}, {100, "A new app version in the middle of a visit"}, {101, "A tablet restored from a backup"},
			{102, "A private window without storage"}, {103, "Screen lock, app switcher, keyboard learning, clipboard"}, {104, "Ten wrong PINs"},
		}},
	}
}
