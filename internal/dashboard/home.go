package dashboard

// showHome shows what needs attention, and how much goes on.
func showHome(c *call) error {
	return c.show(frame{Title: c.words().T("dashboard.home_title")}, homeView{Name: c.operator.Called()}.view())
}
