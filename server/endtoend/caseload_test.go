package endtoend

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// caseload is what a borough begins with: workers who are all practitioners,
// families, and who works with which. With plans each family has two children
// and a safety plan with two rules.
type caseload struct {
	workers  int
	families int
	works    func(worker, family int) bool // nil: everybody with every family
	plans    bool
	manager  bool // the team has one, who signs in as manager
	coord    bool // and a co-ordinator, who signs in as coordinator
	helpers  bool // a volunteer helps the first family, and somebody coordinates the programme, who signs in as programme
}

// login is what worker n signs in as.
func login(n int) string { return fmt.Sprintf("worker.%02d", n) }

// password is everybody's.
const password = "forty systems and two people"

func (c caseload) allocated(worker, family int) bool {
	return c.works == nil || c.works(worker, family)
}

// archive packs the files as the import takes them.
func (c caseload) archive(t *testing.T) []byte {
	t.Helper()
	files := c.people()
	if c.plans {
		for name, lines := range c.planFiles() {
			files[name] = lines
		}
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, lines := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (c caseload) people() map[string][]string {
	workers := []string{"worker_ref,login,name,role,team_ref,qualified_social_worker"}
	for n := range c.workers {
		workers = append(workers, fmt.Sprintf("W-%d,%s,Worker %d,practitioner,T-1,Y", n, login(n), n))
	}
	if c.manager {
		workers = append(workers, "W-M,manager,The manager,manager,T-1,Y")
	}
	if c.coord {
		workers = append(workers, "W-C,coordinator,The co-ordinator,coordinator,T-1,N")
	}
	if c.helpers {
		workers = append(workers, "W-V,volunteer,Betty Lowe,volunteer,T-1,N", "W-P,programme,Pru Gramm,volunteer_coordinator,T-1,N")
	}
	families := []string{"family_ref,name,team_ref"}
	allocations := []string{"allocation_ref,family_ref,worker_ref,role,from,to,sw_reason"}
	for f := range c.families {
		families = append(families, fmt.Sprintf("F-%d,Family %d,T-1", f, f))
		role := "LEAD"
		for n := range c.workers {
			if !c.allocated(n, f) {
				continue
			}
			allocations = append(allocations, fmt.Sprintf("A-%d-%d,F-%d,W-%d,%s,2025-03-03,,", f, n, f, n, role))
			role = "CO"
		}
	}
	if c.helpers {
		allocations = append(allocations, "A-V,F-0,W-V,VOL,2025-03-03,,")
	}
	return map[string][]string{
		"teams.csv": {"team_ref,name", "T-1,Harbour family team"}, "workers.csv": workers,
		"families.csv": families, "allocations.csv": allocations,
	}
}

func (c caseload) planFiles() map[string][]string {
	people := []string{"person_ref,family_ref,names,known_as,pronouns,dob,expected_dob,sex,ethnicity,disabilities,la_child_id,upn,nhs_no,communication,language,interpreter,died"}
	plans := []string{"plan_ref,family_ref,child_refs,status,review_date,bottom_lines,contingency"}
	lines := []string{"line_ref,plan_ref,kind,text,who,when,family_knows,how_checked,checked_by,start,status,person_ref,name,contact,role,agreed_on,knows_why,poses_risk"}
	for f := range c.families {
		people = append(people,
			fmt.Sprintf("P-%d-1,F-%d,Ada Example,Ada,,2016-03-14,,F,WBRI,NONE,,,,SPEECH,en,NONE,", f, f),
			fmt.Sprintf("P-%d-2,F-%d,Ben Example,Ben,,2019-09-02,,M,WBRI,NONE,,,,SPEECH,en,NONE,", f, f))
		plans = append(plans, fmt.Sprintf("PL-%d,F-%d,P-%d-1 P-%d-2,DRAFT,2026-12-01,,Gran is rung first.", f, f, f, f))
		lines = append(lines,
			fmt.Sprintf("PL-%d-R1,PL-%d,RULE,Nobody hits anybody in front of the children.,Everybody,Always,,,,,IN_FORCE,,,,,,,", f, f),
			fmt.Sprintf("PL-%d-R2,PL-%d,RULE,Gran sleeps over on Friday nights.,Gran,Every Friday,,,,,IN_FORCE,,,,,,,", f, f))
	}
	return map[string][]string{"people.csv": people, "plans.csv": plans, "plan_lines.csv": lines}
}
