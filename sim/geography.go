package sim

// city is a place where parties have sites. Coordinates are of the city; a site lies within some kilometres of it.
type city struct {
	name, country string
	lat, lon      float64
	zone          int // whole hours east of UTC
}

var cities = []city{
	{"Taoyuan", "TW", 24.99, 121.30, 8}, {"Hsinchu", "TW", 24.80, 120.97, 8}, {"Tainan", "TW", 23.00, 120.21, 8},
	{"Fremont", "US", 37.55, -121.99, -8}, {"Ashburn", "US", 39.04, -77.49, -5}, {"Dallas", "US", 32.78, -96.80, -6},
	{"Columbus", "US", 39.96, -83.00, -5}, {"Guadalajara", "MX", 20.67, -103.35, -6}, {"Ciudad Juarez", "MX", 31.69, -106.42, -7},
	{"Johor Bahru", "MY", 1.49, 103.74, 8}, {"Cyberjaya", "MY", 2.92, 101.65, 8}, {"Penang", "MY", 5.41, 100.33, 8},
	{"Singapore", "SG", 1.32, 103.70, 8}, {"Jakarta", "ID", -6.21, 106.85, 7}, {"Batam", "ID", 1.13, 104.05, 7},
	{"Bangkok", "TH", 13.76, 100.50, 7}, {"Chonburi", "TH", 13.36, 100.98, 7}, {"Tokyo", "JP", 35.68, 139.69, 9},
	{"Osaka", "JP", 34.69, 135.50, 9}, {"Mumbai", "IN", 19.08, 72.88, 5}, {"Chennai", "IN", 13.08, 80.27, 5},
	{"Dubai", "AE", 25.20, 55.27, 4}, {"Abu Dhabi", "AE", 24.45, 54.38, 4}, {"Frankfurt", "DE", 50.11, 8.68, 1},
	{"Amsterdam", "NL", 52.37, 4.90, 1}, {"Rotterdam", "NL", 51.92, 4.48, 1}, {"Slough", "GB", 51.51, -0.59, 0},
	{"Manila", "PH", 14.60, 120.98, 8}, {"Ho Chi Minh City", "VN", 10.82, 106.63, 7}, {"Seoul", "KR", 37.57, 126.98, 9},
	{"Istanbul", "TR", 41.01, 28.98, 3}, {"Almaty", "KZ", 43.24, 76.89, 5}, {"Warsaw", "PL", 52.23, 21.01, 1},
	{"Stockholm", "SE", 59.33, 18.07, 1}, {"Sydney", "AU", -33.87, 151.21, 10}, {"Toronto", "CA", 43.65, -79.38, -5},
	{"Hong Kong", "HK", 22.32, 114.17, 8}, {"Shenzhen", "CN", 22.54, 114.06, 8}, {"Suzhou", "CN", 31.30, 120.59, 8},
	{"Macao", "MO", 22.20, 113.55, 8}, {"Moscow", "RU", 55.76, 37.62, 3},
}

// Countries by what honest trade does there.
var (
	hallCountries   = []string{"US", "US", "US", "MY", "MY", "SG", "ID", "TH", "JP", "IN", "AE", "DE", "NL", "GB", "SE", "KR", "AU", "CA"}
	buildCountries  = []string{"TW", "US", "MX", "MY"}
	tradeCountries  = []string{"US", "SG", "NL", "AE", "TW", "JP", "MY", "DE"}
	hubCountries    = []string{"SG", "MY", "AE", "NL", "TW", "JP", "US", "TH", "ID", "TR", "DE", "KR", "VN", "KZ", "PH"}
	frontCountries  = []string{"MY", "MY", "SG", "ID", "TH", "AE", "JP", "IN"}
	barredDealers   = []string{"HK", "HK", "CN"}
	partsCountries  = []string{"SG", "TW", "NL", "US", "JP", "MY"}
	officialCountry = []string{"US", "SG", "TW", "NL"}
)

func citiesOf(country string) []city {
	var out []city
	for _, c := range cities {
		if c.country == country {
			out = append(out, c)
		}
	}
	return out
}
