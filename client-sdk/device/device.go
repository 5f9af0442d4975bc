package device

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
)

// Identity is what a device knows of itself and of its borough since enrolment.
type Identity struct {
	Borough  string
	User     syncproto.UserID
	Device   syncproto.DeviceID
	ReplyKey ed25519.PublicKey // signs the server's replies; pinned
	// CheckpointKey signs checkpoints of the server's audit log; pinned.
	CheckpointKey ed25519.PublicKey
	// RecoveryKey is the borough's, to which unsent work is sealed as well (SPEC
	// 7.13): a P-256 point of 65 bytes; nil where the borough has none.
	RecoveryKey []byte
}

// Options set what a Device draws on; the zero value is right outside tests.
type Options struct {
	// Now tells the time. Default: the system's clocks.
	Now func() engine.Time
	// Chance gives fresh randomness. Default: crypto/rand.
	Chance func() engine.Chance
	// Notify is called with each note by the goroutine whose call brought it,
	// after that call took effect; calls may overlap, and may call the Device.
	// Default: nobody is told.
	Notify func(engine.Note)
	// RequestTimeout bounds one request and its reply. Default: two minutes.
	RequestTimeout time.Duration
	// Outbox is where unsent work is kept sealed to the borough's recovery key, so
	// that two people can recover a lost or locked tablet's. It must lie where
	// whoever services the tablet reaches it without its user's key. Default: none
	// is kept.
	Outbox SealedOutbox
}

// Device is one signed-in user on one installation. It is safe for concurrent
// use.
type Device struct {
	id        Identity
	key       Key
	store     Store
	transport Transport
	opts      Options

	mu     sync.Mutex
	engine *engine.Engine // nil after a failed write, until loaded again; guarded by mu
	due    time.Time      // when to sync next; zero: not planned; guarded by mu
	ended  bool           // the person was told that their access has ended; guarded by mu
	sealed sealer         // guarded by mu

	syncing chan struct{} // holds one token: whoever takes it may sync
	kick    chan struct{} // wakes Run
}

// ErrNotEnrolled says that the store holds no identity.
var ErrNotEnrolled = errors.New("device is not enrolled")

// Open opens an enrolled device from its store, which it takes over: Close
// closes it. It fails with ErrNotEnrolled, a DamageError, an
// *engine.MissingError, or an engine.Error. After an error the store is still
// the caller's.
func Open(store Store, transport Transport, opts Options) (*Device, error) {
	opts.fill()
	d := &Device{
		store:     store,
		transport: transport,
		opts:      opts,
		syncing:   make(chan struct{}, 1),
		kick:      make(chan struct{}, 1),
	}
	own, err := readOwnRows(store)
	if err != nil {
		return nil, fmt.Errorf("open device: %w", err)
	}
	d.id, d.key = own.identity, own.key
	if d.sealed, err = newSealer(opts.Outbox, d.id, d.key); err != nil {
		return nil, fmt.Errorf("open device: %w", err)
	}
	if t, ok := transport.(sessionUser); ok {
		t.useSessions(sessionRow{store}, own)
	}
	d.mu.Lock()
	notes, err := d.reload()
	d.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("open device: %w", err)
	}
	d.tell(notes)
	return d, nil
}

func (o *Options) fill() {
	if o.Now == nil {
		began := time.Now()
		o.Now = func() engine.Time { return systemTime(began) }
	}
	if o.Chance == nil {
		o.Chance = func() (c engine.Chance) {
			_, _ = rand.Read(c[:]) // never fails
			return c
		}
	}
	if o.Notify == nil {
		o.Notify = func(engine.Note) {}
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = 2 * time.Minute
	}
}

func systemTime(began time.Time) engine.Time {
	now := time.Now()
	_, offset := now.Zone()
	return engine.Time{
		UnixMS:      now.UnixMilli(),
		OffsetMin:   int64(offset / 60),
		MonotonicMS: uint64(now.Sub(began).Milliseconds()),
	}
}

// reload makes the engine anew from the store. The caller holds mu.
func (d *Device) reload() ([]engine.Note, error) {
	d.engine = nil
	e := engine.New(engine.Identity{
		Borough: d.id.Borough,
		User:    d.id.User,
		Device:  d.id.Device,
		Actor:   syncproto.ActorID(d.opts.Chance()),
	}, engine.Verifiers{
		Reply:      func(message, signature []byte) bool { return ed25519.Verify(d.id.ReplyKey, message, signature) },
		Checkpoint: func(message, signature []byte) bool { return ed25519.Verify(d.id.CheckpointKey, message, signature) },
	})
	err := d.store.Load(func(key, value []byte) error {
		if isOwnRow(key) {
			return nil
		}
		return e.Load(key, value)
	})
	if err != nil {
		return nil, err
	}
	effects, err := e.Start()
	if err != nil {
		return nil, err
	}
	d.engine = e
	out, err := d.carryOut(effects)
	d.sealed.renew(e.Unsent)
	return out.notes, err
}

// outcome is what is left to do of effects once they were carried out.
type outcome struct {
	notes []engine.Note
	send  *engine.Send
	after *int64 // milliseconds until the next sync
}

// carryOut carries out effects in order. The caller holds mu. When rows cannot
// be written the engine is ahead of the store: it is dropped.
func (d *Device) carryOut(effects []engine.Effect) (outcome, error) {
	var out outcome
	for len(effects) > 0 {
		effect := effects[0]
		effects = effects[1:]
		switch effect := effect.(type) {
		case engine.Store:
			d.sealed.add(engine.UnsentIn(effect.Rows))
			if err := d.store.Apply(effect.Rows); err != nil {
				d.engine = nil
				return outcome{}, fmt.Errorf("keep on this device: %w", err)
			}
		case engine.Sign:
			signed, err := d.sign(effect)
			if err != nil {
				return outcome{}, err
			}
			effects = append(signed, effects...)
		case engine.Send:
			out.send = &effect
		case engine.Schedule:
			d.plan(effect.AfterMS)
			out.after = &effect.AfterMS
		case engine.Notify:
			out.notes = append(out.notes, effect.Note)
		}
	}
	return out, nil
}

func (d *Device) sign(s engine.Sign) ([]engine.Effect, error) {
	signatures := make([][]byte, len(s.Messages))
	for i, m := range s.Messages {
		var err error
		if signatures[i], err = d.key.Sign(m); err != nil {
			return nil, err
		}
	}
	return d.engine.Signed(s.Request, signatures), nil
}

// plan makes Run sync after a delay, or sooner if it was to be sooner.
func (d *Device) plan(afterMS int64) {
	due := time.Now().Add(time.Duration(afterMS) * time.Millisecond)
	if d.due.IsZero() || due.Before(d.due) {
		d.due = due
		d.wake()
	}
}

func (d *Device) wake() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// tell hands out notes, outside mu.
func (d *Device) tell(notes []engine.Note) {
	for _, n := range notes {
		d.opts.Notify(n)
	}
}

// change runs one call of the engine that changes something.
func (d *Device) change(call func(e *engine.Engine) ([]engine.Effect, error)) error {
	notes, err := d.changeLocked(call)
	d.tell(notes)
	return err
}

func (d *Device) changeLocked(call func(e *engine.Engine) ([]engine.Effect, error)) ([]engine.Note, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var notes []engine.Note
	if d.engine == nil {
		var err error
		if notes, err = d.reload(); err != nil {
			return nil, err
		}
	}
	effects, err := call(d.engine)
	if err != nil {
		return notes, err
	}
	out, err := d.carryOut(effects)
	return append(notes, out.notes...), err
}

// Edit records ops on a record and returns the id of the (last) change. When it
// returns nil the change is safe on this device; the salt is drawn here. Its
// errors are those of engine.Edit and of the store: nothing was recorded then.
func (d *Device) Edit(in engine.Edit) (syncproto.ChangeID, error) {
	in.Salt = d.opts.Chance()
	var id syncproto.ChangeID
	err := d.change(func(e *engine.Engine) (effects []engine.Effect, err error) {
		id, effects, err = e.Edit(d.opts.Now(), in)
		return effects, err
	})
	return id, err
}

// Type takes in what was typed, as engine.Type does. When it returns nil the
// words are safe on this device.
func (d *Device) Type(in engine.Typing) error {
	in.Salt = d.opts.Chance()
	return d.change(func(e *engine.Engine) ([]engine.Effect, error) {
		return e.Type(d.opts.Now(), in)
	})
}

// Save turns what was typed in a record into a change.
func (d *Device) Save(record syncproto.RecordID) error {
	return d.change(func(e *engine.Engine) ([]engine.Effect, error) { return e.Save(record) })
}

// Reoffer writes quarantined or refused words of a record once more, as
// engine.Reoffer does.
func (d *Device) Reoffer(record syncproto.RecordID) (syncproto.ChangeID, error) {
	var id syncproto.ChangeID
	err := d.change(func(e *engine.Engine) (effects []engine.Effect, err error) {
		id, effects, err = e.Reoffer(d.opts.Now(), record, d.opts.Chance())
		return effects, err
	})
	return id, err
}

// Read gives fn the engine, to look at and not to keep: View, Fold, Heads,
// Status, Outbox, Marks, Export, Families and Records. It fails only when a
// write failed before and the store still cannot be read.
func (d *Device) Read(fn func(e *engine.Engine)) error {
	return d.change(func(e *engine.Engine) ([]engine.Effect, error) {
		fn(e)
		return nil, nil
	})
}

// View returns what a person sees of a record; see engine.View.
func (d *Device) View(record syncproto.RecordID) (v *syncproto.View, err error) {
	failed := d.Read(func(e *engine.Engine) { v, err = e.View(record) })
	return v, errors.Join(failed, err)
}

// Status says where this user's words in a record have got to.
func (d *Device) Status(record syncproto.RecordID) (s engine.Status, err error) {
	err = d.Read(func(e *engine.Engine) { s = e.Status(record) })
	return s, err
}

// Outbox says what has not reached the server.
func (d *Device) Outbox() (o engine.Outbox, err error) {
	err = d.Read(func(e *engine.Engine) { o = e.Outbox() })
	return o, err
}

// Identity returns who this device is.
func (d *Device) Identity() Identity { return d.id }

// Rest is for a pause: the screen went dark. The next start is quicker for it.
func (d *Device) Rest() error {
	return d.change(func(e *engine.Engine) ([]engine.Effect, error) { return e.Rest(), nil })
}

// Close closes the store. What was typed stays a draft, and is there again when
// the device is opened. End Run first.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.engine != nil {
		// A store that has no room left for a view has been told so with the words.
		_, _ = d.carryOut(d.engine.Rest())
	}
	d.engine = nil
	return d.store.Close()
}

// Checkpoint returns the newest checkpoint of the server's audit log that this
// device remembers, as the signed note that doorstep verify --checkpoint takes; nil
// if it has seen none. alarm is true if the server could not prove that its log
// still holds it.
func (d *Device) Checkpoint() (note []byte, alarm bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.engine == nil {
		return nil, false
	}
	log := d.engine.Log()
	if log.Newest.Size == 0 {
		return nil, log.Alarm != nil
	}
	hash := syncproto.CheckpointKeyHash(d.id.Borough, d.id.CheckpointKey)
	return syncproto.CheckpointNote(d.id.Borough, &log.Newest.Checkpoint, hash), log.Alarm != nil
}
