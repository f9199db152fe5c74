package epcis

import "strings"

// vocabulary is one list of words of the CBV, and how the standard spells them as URIs.
type vocabulary struct {
	what  string // for messages
	web   string // Web URI prefix (CBV 2.0 §7)
	urn   string // URN prefix of CBV 1.x; empty where there is none
	words map[string]word
}

// word is a word of a vocabulary in its two forms. For what is not the CBV's own both are its full URI.
type word struct{ bare, uri string }

func vocabularyOf(what, web, urn, list string) *vocabulary {
	v := &vocabulary{what, web, urn, map[string]word{}}
	for _, w := range strings.Fields(list) {
		v.words[w] = word{w, web + w}
	}
	return v
}

// The lists of CBV 2.0 §7 and §8, with the words that the EPCIS 2.0 JSON Schema knows.
var (
	bizSteps = vocabularyOf("business step", "https://ref.gs1.org/cbv/BizStep-", "urn:epcglobal:cbv:bizstep:", `accepting arriving assembling
		collecting commissioning consigning creating_class_instance cycle_counting decommissioning departing destroying disassembling dispensing encoding
		entering_exiting holding inspecting installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
		retail_selling shipping staging_outbound stock_taking stocking storing transporting unloading unpacking void_shipping sensor_reporting sampling`)
	dispositions = vocabularyOf("disposition", "https://ref.gs1.org/cbv/Disp-", "urn:epcglobal:cbv:disp:", `active container_closed damaged destroyed
		dispensed disposed encoded expired in_progress in_transit inactive no_pedigree_match non_sellable_other partially_dispensed recalled reserved
		retail_sold returned sellable_accessible sellable_not_accessible stolen unknown available completeness_verified completeness_inferred conformant
		container_open mismatch_instance mismatch_class mismatch_quantity needs_replacement non_conformant unavailable`)
	transactionTypes = vocabularyOf("business transaction type", "https://ref.gs1.org/cbv/BTT-", "urn:epcglobal:cbv:btt:",
		`bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt`)
	sourceTypes = vocabularyOf("source or destination type", "https://ref.gs1.org/cbv/SDT-", "urn:epcglobal:cbv:sdt:",
		`owning_party possessing_party location`)
	errorReasons = vocabularyOf("error reason", "https://ref.gs1.org/cbv/ER-", "urn:epcglobal:cbv:er:", `did_not_occur incorrect_data`)
	components   = vocabularyOf("component", "https://ref.gs1.org/cbv/Comp-", "", `x y z axial_distance azimuth height spherical_radius
		polar_angle elevation_angle easting northing latitude longitude altitude`)
	alerts       = vocabularyOf("sensor alert", "https://gs1.org/voc/", "", `ALARM_CONDITION ERROR_CONDITION`)
	measurements = vocabularyOf("measurement type", "https://gs1.org/voc/", "", `AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration
		Radioactivity Altitude AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance
		Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent
		ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance KinematicViscosity Length
		LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration
		MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity
		RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume
		VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`)
)

// older are the prefixes that drafts of CBV 2.0 had for its Web URIs.
var older = []string{"https://ns.gs1.org/cbv/", "http://ns.gs1.org/cbv/"}

// find finds a word, however it is spelt: bare, as a Web URI, as a URN of CBV 1.x, or as a compact name of one of them. It is
// false for what the CBV might have said and does not, and for what is no URI.
func (v *vocabulary) find(written []byte, c *Context) (word, bool) {
	if w, ok := v.words[string(written)]; ok {
		return w, true
	}
	full := string(c.expand(written))
	claimed := strings.HasPrefix(full, "urn:epcglobal:cbv") // nobody else's words begin so
	for _, prefix := range older {
		if rest, ok := strings.CutPrefix(full, prefix); ok {
			full, claimed = standard.terms["cbv"]+rest, true
		}
	}
	for _, prefix := range []string{v.web, v.urn} {
		rest, ok := strings.CutPrefix(full, prefix)
		if !ok || prefix == "" {
			continue
		}
		if w, ok := v.words[rest]; ok {
			return w, true
		}
		claimed = claimed || prefix != standard.terms["gs1"] // the GS1 Web Vocabulary has words of other kinds as well
	}
	if claimed || !isURI(full) {
		return word{}, false
	}
	return word{full, full}, true
}

// unknown says what is wrong with a word that find does not know.
func (v *vocabulary) unknown(written []byte) string {
	reason := "is " + quoteShort(written) + ", which is no " + v.what + " of the CBV and no URI of somebody's own"
	if best := v.like(string(written)); best != "" {
		reason += "; did you mean " + best + "?"
	}
	return reason
}

// like is the word that comes nearest, if any comes near.
func (v *vocabulary) like(written string) string {
	for _, prefix := range append([]string{v.web, v.urn}, older...) {
		written = strings.TrimPrefix(written, prefix)
	}
	written = strings.ToLower(written)
	best, distance := "", min(3, 1+len(written)/3)
	for w := range v.words {
		if d := editDistance(written, strings.ToLower(w), distance+1); d < distance || d == distance && best != "" && w < best {
			best, distance = w, d
		}
	}
	return best
}

// editDistance is the number of letters to change (Levenshtein), or limit when there are at least that many.
func editDistance(a, b string, limit int) int {
	if len(a) > 64 || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return min(row[len(b)], limit)
}

// isURI says whether s is an absolute URI by its form (RFC 3986 §4.3, with the characters of RFC 3987): a scheme, and no
// character that cannot stand in one.
func isURI[T string | []byte](s T) bool {
	colon := 0
	for colon < len(s) && (isLetter(s[colon]) || colon > 0 && (isDigit(s[colon]) || s[colon] == '+' || s[colon] == '-' || s[colon] == '.')) {
		colon++
	}
	if colon == 0 || colon >= len(s)-1 || s[colon] != ':' {
		return false
	}
	for i := colon + 1; i < len(s); i++ {
		if c := s[i]; !inURI[c] || c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return false
		}
	}
	return true
}

// inURI are the bytes that may stand in an IRI.
var inURI = func() (t [256]bool) {
	for c := range t {
		t[c] = c > ' ' && c != 0x7f && !strings.ContainsRune("<>\"{}|\\^`", rune(c))
	}
	return t
}()

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// quoteShort quotes a value for a message, cut where it is long.
func quoteShort[T string | []byte](text T) string {
	const most = 80
	s := string(text[:min(len(text), most)])
	if len(text) > most {
		return "“" + strings.ToValidUTF8(s, "") + "…”"
	}
	return "“" + s + "”"
}
