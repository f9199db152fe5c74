package epcis

import "strings"

// vocabulary is one list of words of the CBV: the bare words, and how the standard spells them as URIs.
type vocabulary struct {
	what  string // for messages
	web   string // Web URI prefix (CBV 2.0 §7)
	urn   string // URN prefix of CBV 1.x; empty where there is none
	words map[string]bool
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// The lists of CBV 2.0 §7 and §8, with the words that the EPCIS 2.0 JSON Schema knows.
var (
	bizSteps = &vocabulary{"business step", "https://ref.gs1.org/cbv/BizStep-", "urn:epcglobal:cbv:bizstep:", words(`accepting arriving assembling
		collecting commissioning consigning creating_class_instance cycle_counting decommissioning departing destroying disassembling dispensing encoding
		entering_exiting holding inspecting installing killing loading other packing picking receiving removing repackaging repairing replacing reserving
		retail_selling shipping staging_outbound stock_taking stocking storing transporting unloading unpacking void_shipping sensor_reporting sampling`)}
	dispositions = &vocabulary{"disposition", "https://ref.gs1.org/cbv/Disp-", "urn:epcglobal:cbv:disp:", words(`active container_closed damaged destroyed
		dispensed disposed encoded expired in_progress in_transit inactive no_pedigree_match non_sellable_other partially_dispensed recalled reserved
		retail_sold returned sellable_accessible sellable_not_accessible stolen unknown available completeness_verified completeness_inferred conformant
		container_open mismatch_instance mismatch_class mismatch_quantity needs_replacement non_conformant unavailable`)}
	transactionTypes = &vocabulary{"business transaction type", "https://ref.gs1.org/cbv/BTT-", "urn:epcglobal:cbv:btt:",
		words(`bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres upevt`)}
	sourceTypes = &vocabulary{"source or destination type", "https://ref.gs1.org/cbv/SDT-", "urn:epcglobal:cbv:sdt:",
		words(`owning_party possessing_party location`)}
	errorReasons = &vocabulary{"error reason", "https://ref.gs1.org/cbv/ER-", "urn:epcglobal:cbv:er:", words(`did_not_occur incorrect_data`)}
	components   = &vocabulary{"component", "https://ref.gs1.org/cbv/Comp-", "", words(`x y z axial_distance azimuth height spherical_radius
		polar_angle elevation_angle easting northing latitude longitude altitude`)}
	alerts       = &vocabulary{"sensor alert", "https://gs1.org/voc/", "", words(`ALARM_CONDITION ERROR_CONDITION`)}
	measurements = &vocabulary{"measurement type", "https://gs1.org/voc/", "", words(`AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration
		Radioactivity Altitude AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum AngularVelocity Area Capacitance
		Conductance Conductivity Count Density Dimensionless DoseEquivalent DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent
		ElectricCurrentDensity ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance KinematicViscosity Length
		LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity MagneticVectorPotential Mass MassConcentration
		MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity
		RelativeHumidity Resistance Resistivity SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage Volume
		VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`)}
)

// older is how drafts of CBV 2.0 spelt the Web URIs.
const (
	current = "https://ref.gs1.org/cbv/"
	older   = "https://ns.gs1.org/cbv/"
)

// bare is the normal form of a word: the bare word for what is the CBV's own, however it was spelt, and the full URI for
// what is not. The second result says why there is none.
func (v *vocabulary) bare(word string, c *Context) (string, string) {
	if v.words[word] {
		return word, ""
	}
	full := c.Expand(word)
	if rest, ok := strings.CutPrefix(full, older); ok {
		full = current + rest
	}
	for _, prefix := range []string{v.web, v.urn} {
		if rest, ok := strings.CutPrefix(full, prefix); ok && prefix != "" {
			if v.words[rest] {
				return rest, ""
			}
			if prefix != measurements.web { // that namespace has other words as well
				return "", v.unknown(rest)
			}
		}
	}
	if !isURI(full) {
		return "", v.unknown(word)
	}
	if strings.HasPrefix(full, "urn:epcglobal:cbv:") {
		return "", v.unknown(word)
	}
	return full, ""
}

// uri is the Web URI of a normal form, as the event hash wants it.
func (v *vocabulary) uri(bare string) string {
	if v.words[bare] {
		return v.web + bare
	}
	return bare
}

func (v *vocabulary) unknown(word string) string {
	reason := "is " + quoteShort(word) + ", which is no " + v.what + " of the CBV and no URI"
	best, distance := "", 3
	for w := range v.words {
		if d := editDistance(strings.ToLower(word), strings.ToLower(w), distance); d < distance || d == distance && best != "" && w < best {
			best, distance = w, d
		}
	}
	if best != "" {
		reason += "; did you mean " + best + "?"
	}
	return reason
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
func isURI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 1 || colon == len(s)-1 {
		return false
	}
	for i := range colon {
		c := s[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		if !letter && (i == 0 || !('0' <= s[i] && s[i] <= '9' || s[i] == '+' || s[i] == '-' || s[i] == '.')) {
			return false
		}
	}
	for i := colon + 1; i < len(s); i++ {
		switch c := s[i]; c {
		case '<', '>', '"', '{', '}', '|', '\\', '^', '`', 0x7f:
			return false
		default:
			if c <= ' ' {
				return false
			}
		}
	}
	return true
}

// quoteShort quotes a value for a message, cut where it is long.
func quoteShort(s string) string {
	const most = 80
	if len(s) > most {
		return "“" + strings.ToValidUTF8(s[:most], "") + "…”"
	}
	return "“" + s + "”"
}
