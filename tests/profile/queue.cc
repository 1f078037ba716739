/* SPDX-License-Identifier: Apache-2.0 */
/* Much that is inlined: containers, sorting, functions with captures. */
#include <vector>
#include <map>
#include <string>
#include <algorithm>
#include <functional>
#include <iostream>
#include <regex>
namespace app
{
namespace
{
struct thing {
	std::string name;
	int n;
	bool operator<(const thing &o) const
	{
		return n < o.n;
	}
};
template <class T> T twice(T v)
{
	return v + v;
}
} // namespace
int work(int n)
{
	std::vector<thing> v;
	std::map<std::string, int> m;
	for (int i = 0; i < n; i++) {
		v.push_back({ std::to_string(i * 7919 % n), i * 7919 % n });
		m[v.back().name] = twice(i);
	}
	std::sort(v.begin(), v.end());
	std::function<int(int)> f = [&](int x) { return m.size() + x; };
	std::regex r("a.*b");
	return f(v[0].n) + std::regex_match("aab", r);
}
} // namespace app
int main(int c, char **v)
{
	std::cout << app::work(c * 1000);
}
