// node_modules/preact/dist/preact.mjs
var e, t, n, r, i, a, o, s, c, l, u = Symbol.for("pv"), d = {}, f = [], p = /^m(i|n|o|s|text|space)$/, m = Array.isArray, h = f.slice, g = Object.assign;
function _(e) {
	e && e.parentNode && e.remove();
}
function v(n, r, i, a, o) {
	var s = {
		type: n,
		props: r,
		key: i,
		ref: a,
		__k: null,
		__: null,
		__b: 0,
		__e: null,
		__c: null,
		constructor: u,
		__v: o || ++t,
		__i: -1,
		__u: 0
	};
	return !o && e.vnode && e.vnode(s), s;
}
function y(e) {
	return e.children;
}
function b(e, t) {
	this.props = e, this.context = t, this.__g = 0;
}
function x(e, t) {
	if (t == null) return e.__ && x(e.__, e.__i + 1);
	for (var n; t < e.__k.length; t++) if ((n = e.__k[t]) && n.__e) return n.__e;
	return typeof e.type != "function" || e.props.__P ? null : x(e);
}
function S(t) {
	var n, r = t.__v, i = r.__e, a = [], o = [], s = t.__P;
	s && ((n = g({ constructor: u }, r)).__v = r.__v + 1, e.vnode && e.vnode(n), j(s, n, r, t.__n, s.namespaceURI, 32 & r.__u ? [i] : null, a, i || x(r), 32 & r.__u, o), n.__v = r.__v, n.__.__k[n.__i] = n, N(a, n, o), r.__ = r.__e = null, n.__e != i && C(n));
}
function C(e) {
	if ((e = e.__) && e.__c && !e.props.__P) return e.__e = null, e.__k.some(function(t) {
		return t && (e.__e = t.__e);
	}), C(e);
}
function w(t) {
	(8 & t.__g || (t.__g |= 8, n.push(t), i++)) && r == e.debounceRendering || ((r = e.debounceRendering) || queueMicrotask)(T);
}
function T() {
	try {
		for (var e, t = 1; n.length;) n.length > t && n.sort(a), e = n.shift(), t = n.length, 8 & e.__g && S(e);
	} finally {
		(i = n.length) && (r || queueMicrotask)(T);
	}
}
function ee(e, t, n, r, i, a, o, s, c, l, u) {
	var p, m, h, g, _, v, y = r.__k || f, b = t.length;
	for (c = E(n, t, y, c, b), p = 0; p < b; p++) (h = n.__k[p]) != null && (m = ~h.__i && y[h.__i] || d, h.__i = p, v = j(e, h, m, i, a, o, s, c, l, u), g = h.__e, (m.ref != h.ref || 8 & m.__u) && (m.ref && P(m.ref, null, h, m), h.ref && u.push(h.ref, h.__c || g, h)), _ ||= g, 4 & h.__u ? (c = D(h, c, e, !m.__v), m.__e && (m.__e = null)) : typeof h.type == "function" && v !== void 0 ? c = v : g && (c = g.nextSibling), h.__u &= -21);
	return n.__e = _, c;
}
function E(e, t, n, r, i) {
	var a, o, s, c, l, d, f, p, h, g = n.length, _ = g, b = 0, S = 0, C = e.__k = Array(i);
	for (a = 0; a < i; a++) (o = t[a]) != null && typeof o != "boolean" && typeof o != "function" ? (typeof o != "object" || o.constructor === String ? o = C[a] = v(null, o) : m(o) ? o = C[a] = v(y, { children: o }) : o.constructor === u && o.__b ? o = C[a] = v(o.type, o.props, o.key, o.ref, o.__v) : C[a] = o, c = a + b, o.__ = e, o.__b = e.__b + 1, s = null, ~(l = o.__i = O(o, n, c, _)) && (_--, (s = n[l]) && (s.__u |= 2)), s && s.__v ? (o.__u |= 16, l == c - 1 ? b-- : l == c + 1 ? b++ : l != c && (l > c ? b-- : b++, S = 1)) : (~l || (i > g ? b-- : i < g && b++), typeof o.type != "function" && (o.__u |= 4))) : C[a] = null;
	if (S) {
		for (d = [], f = [], a = 0; a < i; a++) if ((o = C[a]) && 16 & o.__u) {
			for (b = 0, p = d.length; b < p;) d[h = b + p >> 1] < o.__i ? b = h + 1 : p = h;
			d[b] = o.__i, f[a] = b + 1;
		}
		for (b = d.length; a--;) f[a] && (f[a] == b ? b-- : C[a].__u |= 4);
	}
	if (_) for (a = 0; a < g; a++) !(s = n[a]) || 2 & s.__u || (s.__e == r && (r = x(s)), ie(s, s));
	return r;
}
function D(e, t, n, r) {
	var i, a, o, s;
	if (typeof e.type == "function") {
		if (e.props.__P) return t;
		if (i = e.__k) for (a = 0; a < i.length; a++) i[a] && (i[a].__ = e, t = D(i[a], t, n, !1));
		return t;
	}
	for (t && !t.parentNode && (t = x(e)) && !t.parentNode && (t = null), o = e.__e, s = t; s && s.nodeType == 8;) s = s.nextSibling;
	for (o != s && (!r && n.moveBefore && o.parentNode ? n.moveBefore(o, t) : n.insertBefore(o, t || null)), t = o; (t &&= t.nextSibling) && t.nodeType == 8 && !t.data.startsWith("$s"););
	return t;
}
function O(e, t, n, r) {
	var i, a = e.key, o = e.type, s = t[n], c = s && !(2 & s.__u);
	if (s === null && a == null || c && a == s.key && o == s.type) return n;
	if (r > +!!c) {
		for (i = n - 1; i >= 0; i--) if ((s = t[i]) && !(2 & s.__u) && a == s.key && o == s.type) return i;
		for (i = n + 1; i < t.length; i++) if ((s = t[i]) && !(2 & s.__u) && a == s.key && o == s.type) return i;
	}
	return -1;
}
function k(e, t, n) {
	n ??= "", t[0] == "-" ? e.setProperty(t, n) : e[t] = n;
}
function A(e, t, n, r, i) {
	var a, o;
	if (t == "style") {
		if (typeof n == "string") e.style.cssText = n;
		else {
			if (typeof r == "string" && (e.style.cssText = r = ""), r) for (t in r) n && t in n || k(e.style, t);
			if (n) for (t in n) r && n[t] == r[t] || k(e.style, t, n[t]);
		}
	} else if (t[0] == "o" && t[1] == "n") typeof n != "function" && (n = null), typeof r != "function" && (r = null), (e.__e ||= {})[t] = n, n && r || (o = l[t] || (l[t] = te(t)), (e.__a ||= {})[t] = c, a = t != (t = t.replace(s, "$1")), (t = t.slice(2))[0] < "a" && (t = t.toLowerCase()), n ? e.addEventListener(t, o, a) : e.removeEventListener(t, o, a));
	else {
		if (i == "http://www.w3.org/2000/svg") t = t.replace(/xlink(H|:h)/, "h").replace(/sName$/, "s");
		else if (t != "width" && t != "height" && t != "href" && t != "list" && t != "form" && t != "tabIndex" && t != "download" && t != "rowSpan" && t != "colSpan" && t != "role" && t != "popover" && t in e) try {
			e[t] = n ?? "";
			return;
		} catch {}
		if (typeof n == "function") return;
		n == null || !1 === n && t[4] != "-" ? e.removeAttribute(t) : e.setAttribute(t, t == "popover" && n == 1 ? "" : n);
	}
}
function te(t) {
	return function(n) {
		var r = this.__e;
		if (r) {
			if (r = r[t], n[o] == null) n[o] = c++;
			else if (n[o] < this.__a[t]) return;
			return r(e.event ? e.event(n) : n);
		}
	};
}
function j(t, n, r, i, a, o, s, c, l, d) {
	var p, h, v, S, C, w, T, E, D, O, k, A, te, j, N, P, F, I, L = n.type;
	if (n.constructor !== u) return null;
	128 & r.__u && (l = 32 & r.__u, p = r.__c.__z) && (n.__u |= l, h = o = [], p.nodeType == 8 ? c = M(p, o) : o.push(p), c = o[0] || c), (p = e.__b) && p(n);
	n: if (typeof L == "function") {
		v = s.length;
		try {
			if (E = n.props, D = (p = L.prototype) && p.render, O = (p = L.contextType) && i[p.__c], k = p ? O ? O.props.value : p.__ : i, (S = r.__c) ? (n.__c = S, 2 & S.__g && (S.__g |= 1)) : (D ? n.__c = S = new L(E, k) : (n.__c = S = new b(E, k), S.constructor = L, S.render = ae), O && O.sub(S), S.state || (S.state = {}), S.__n = i, S.__g |= 8, S.__h = [], S.__k = []), D && (S.__s || (S.__s = S.state), L.getDerivedStateFromProps && (S.__s == S.state && (S.__s = g({}, S.__s)), g(S.__s, L.getDerivedStateFromProps(E, S.__s)))), C = S.props, w = S.state, S.__v = n, r.__c) {
				if (E !== C && D && !L.getDerivedStateFromProps && S.componentWillReceiveProps && S.componentWillReceiveProps(E, k), n.__v == r.__v && !(8 & S.__g) || !(4 & S.__g) && S.shouldComponentUpdate && !1 === S.shouldComponentUpdate(E, S.__s, k)) {
					n.__v != r.__v && (S.props = E, S.state = S.__s, S.__g &= -9), n.__e = r.__e, n.__k = r.__k, n.__k.some(function(e) {
						e && (e.__ = n);
					}), f.push.apply(S.__h, S.__k), S.__k = [], S.__h.length && s.push(S), c = x(r);
					break n;
				}
				S.componentWillUpdate && S.componentWillUpdate(E, S.__s, k), D && S.componentDidUpdate && S.__h.push(function() {
					S.componentDidUpdate(C, w, T);
				});
			} else D && !L.getDerivedStateFromProps && S.componentWillMount && S.componentWillMount(), D && S.componentDidMount && S.__h.push(S.componentDidMount);
			S.context = k, S.props = E, S.__P = t, S.__g &= -5, A = e.__r, te = D ? 25 : 0;
			do
				S.__g &= -9, A && A(n), p = S.render(S.props, S.state = S.__s, S.context);
			while (8 & S.__g && ++te < 25);
			D && (f.push.apply(S.__h, S.__k), S.__k = []), S.state = S.__s, S.getChildContext && (i = g({}, i, S.getChildContext())), D && r.__c && S.getSnapshotBeforeUpdate && (T = S.getSnapshotBeforeUpdate(C, w)), j = p && p.type === y && p.key == null ? p.props.children : p, E.__P && (p = c, a = (t = E.__P).namespaceURI, l = o = null, r.props && r.props.__P != t && (r.__k.some(function(e) {
				e && ie(e, e);
			}), r.__k = null), c = r.__k ? x(r, 0) : null), c = ee(t, m(j) ? j : [j], n, r, i, a, o, s, c, l, d), E.__P && (n.__e = null, c = p), n.__u &= -161, h && h.some(_), S.__h.length && s.push(S), 1 & S.__g && (S.__g &= -4);
		} catch (t) {
			if (s.length = v, n.__v = null, l || o) {
				if (t && t.then) {
					if (n.__u |= 128 | l, o) {
						for (~(F = o.indexOf(c || void 0)) || (F = o.length); (I = o[F - 1]) && I.nodeType == 8;) F--;
						for (; F < o.length; F++) if (I = o[F]) {
							if (o[F] = null, N) {
								if (I == P) break;
							} else {
								if (I.nodeType != 8) break;
								I.data.startsWith("$s") && (P = M(N = I));
							}
						}
					}
					if (!N) {
						for (; c && c.nodeType == 8 && c.nextSibling;) c = c.nextSibling;
						N = c;
					}
					(p = M(N = n.__c.__z || (n.__c.__z = N))) ? (n.__e = N, c = p) : n.__e = c, c &&= c.nextSibling;
				} else o && o.some(_);
			} else n.__e = r.__e;
			n.__k ||= r.__k || [], t && t.then || ne(n), e.__e(t, n, r);
		}
	} else c = n.__e = re(r.__e, n, r, i, a, o, s, l, d, t);
	return (p = e.diffed) && p(n), c;
}
function M(e, t) {
	if (e && e.nodeType == 8 && e.data.startsWith("$s")) for (var n = 1; e = e.nextSibling;) {
		if (e.nodeType == 8) {
			if (e.data.startsWith("$s")) n++;
			else if (e.data.startsWith("/$s") && !--n) return e;
		}
		t && t.push(e);
	}
}
function ne(e) {
	e && (e.__c && (e.__c.__g |= 4), e.__k && e.__k.some(ne));
}
function N(t, n, r) {
	for (var i = 0; i < r.length;) P(r[i++], r[i++], r[i++]);
	e.__c && e.__c(n, t), t.some(function(n) {
		try {
			t = n.__h, n.__h = [], t.some(function(e) {
				e.call(n);
			});
		} catch (t) {
			e.__e(t, n.__v);
		}
	});
}
function re(t, n, r, i, a, o, s, c, l, u) {
	var f, g, v, y, b, S, C, w, T = r.props || d, E = n.props, D = n.type;
	if (D == "svg" ? a = "http://www.w3.org/2000/svg" : D == "math" ? a = "http://www.w3.org/1998/Math/MathML" : a ||= "http://www.w3.org/1999/xhtml", o) {
		for (f = 0; f < o.length; f++) if ((b = o[f]) && (D ? b.localName == D : b.nodeType == 3)) {
			t = b, o[f] = null;
			break;
		}
	}
	if (!t) {
		if (w = u.ownerDocument || document, !D) return w.createTextNode(E);
		t = w.createElementNS(a, D, E.is ? E : u), c &&= (e.__m && e.__m(n, o), !1), o = null;
	}
	if (D) {
		if (u = D == "template" && t.content || t, o = D == "textarea" && E.defaultValue != null ? null : o && h.call(u.childNodes), !c && o) for (T = {}, f = 0; f < t.attributes.length; f++) T[(b = t.attributes[f]).name] = b.value;
		for (f in T) b = T[f], f == "dangerouslySetInnerHTML" ? v = b : f == "children" || f in E || f == "value" && "defaultValue" in E || f == "checked" && "defaultChecked" in E || A(t, f, null, b, a);
		for (f in E) b = E[f], f == "children" ? y = b : f == "dangerouslySetInnerHTML" ? g = b : f == "value" ? S = b : f == "checked" ? C = b : c && typeof b != "function" || T[f] === b || A(t, f, b, T[f], a);
		g ? (c || v && (g.__html == v.__html || g.__html == t.innerHTML) || (t.innerHTML = g.__html), n.__k = []) : (v && (t.textContent = ""), (D == "foreignObject" || a == "http://www.w3.org/1998/Math/MathML" && p.test(D)) && (a = "http://www.w3.org/1999/xhtml"), ee(u, m(y) ? y : [y], n, r, i, a, o, s, o ? o[0] : r.__k && x(r, 0), c, l), o && o.some(_)), c && D != "textarea" || (f = "value", D == "progress" && S == null ? t.removeAttribute(f) : S == null || S === t[f] && (D != "progress" || S) || A(t, f, S, T[f], a), f = "checked", C != null && C != t[f] && A(t, f, C, T[f], a));
	} else T === E || c && t.data == E || (t.data = E);
	return t;
}
function P(t, n, r, i) {
	try {
		typeof t == "function" ? n ? n.__x = t(n) || 1 : (i &&= i.__c || i.__e) && (n = i.__x) && (i.__x = null, typeof n == "function" ? n() : t(null)) : t.current = n;
	} catch (t) {
		e.__e(t, r);
	}
}
function ie(t, n, r) {
	var i, a, o, s;
	if (e.unmount && e.unmount(t), !(i = t.ref) || i.current && i.current != t.__e || P(i, null, n, t), i = t.__c) {
		if (i.componentWillUnmount) try {
			i.componentWillUnmount();
		} catch (t) {
			e.__e(t, n);
		}
		i.__P = i.__n = null;
	}
	if (i = t.__k) for (s = 0; s < i.length; s++) i[s] && ie(i[s], n, typeof t.type != "function" || r && !t.props.__P);
	!r && (i = t.__c) && (i = i.__z) && (a = M(i, o = [])) && (i == t.__e && o.some(_), _(a), _(i)), r || _(t.__e), t.__e = t.__c = t.__ = null;
}
function ae(e, t, n) {
	return this.constructor(e, n);
}
function F(t, n) {
	var r, i, a, o;
	e.__ && e.__(t, n), n.nodeType == 9 && (n = n.documentElement), i = (r = t && 32 & t.__u) ? null : n.__k, n.__k = v(y, { children: [t] }), a = [], o = [], j(n, n.__k, i || d, d, n.namespaceURI, i ? null : n.firstChild ? h.call(n.childNodes) : null, a, i ? i.__e : n.firstChild, r, o), N(a, n.__k, o), n.__k.props.children = null;
}
e = { __e: function(e, t, n, r) {
	for (var a, o, s; t = t.__;) if ((a = t.__c) && !(1 & a.__g)) {
		a.__g |= 4;
		try {
			if ((s = (o = a.constructor) && o.getDerivedStateFromError) && a.setState(o.getDerivedStateFromError(e)), a.componentDidCatch && (a.componentDidCatch(e, r || {}), s = 1), s && 8 & a.__g) return void (a.__g |= 2);
		} catch (t) {
			e = t;
		}
	}
	throw i = 0, e;
} }, t = 0, b.prototype.setState = function(e, t) {
	var n = this.__s;
	n && n != this.state || (n = this.__s = g({}, this.state)), typeof e == "function" && (e = e(g({}, n), this.props)), e && (g(n, e), this.__v && (t && this.__k.push(t), w(this)));
}, b.prototype.forceUpdate = function(e) {
	this.__v && (this.__g |= 4, e && this.__h.push(e), w(this));
}, b.prototype.render = y, n = [], i = 0, a = function(e, t) {
	return e.__v.__b - t.__v.__b;
}, o = Symbol(), s = /(PointerCapture)$|Capture$/i, c = 0, l = {};
// src/core/bundle.ts
var I = {
	f4: Float32Array,
	u1: Uint8Array,
	i4: Int32Array,
	u2: Uint16Array
};
function L(e) {
	if (e.byteLength < 4) throw Error("The answer is shorter than its header.");
	let t = new DataView(e).getUint32(0, !0);
	if (4 + t > e.byteLength) throw Error("The answer ends within its header.");
	let n = JSON.parse(new TextDecoder().decode(new Uint8Array(e, 4, t))), r = Math.ceil((4 + t) / 8) * 8, { arrays: i, ...a } = n, o = {};
	for (let { name: t, dtype: n, shape: a, offset: s } of i) {
		let i = I[n];
		if (!i) throw Error(`The answer holds numbers of an unknown kind, ${n}.`);
		let c = a.reduce((e, t) => e * t, 1);
		if (r + s + c * i.BYTES_PER_ELEMENT > e.byteLength) throw Error(`The answer ends within ${t}.`);
		o[t] = {
			data: new i(e, r + s, c),
			shape: a
		};
	}
	return {
		arrays: o,
		facts: a
	};
}
function R(e, t) {
	let n = e.arrays[t];
	return n ? n.data instanceof Float32Array ? n.data : Float32Array.from(n.data) : /* @__PURE__ */ new Float32Array();
}
// src/parts/base.css?inline
var oe = ":root{--lightningcss-light:initial;--lightningcss-dark: ;color-scheme:light dark;--page:var(--lightningcss-light,#f7f6f3)var(--lightningcss-dark,#101216);--ground:var(--lightningcss-light,#fff)var(--lightningcss-dark,#17191e);--raised:var(--lightningcss-light,#f1f0ec)var(--lightningcss-dark,#20242b);--ink:var(--lightningcss-light,#1c2024)var(--lightningcss-dark,#eceef1);--muted:var(--lightningcss-light,#5f6670)var(--lightningcss-dark,#9ba3af);--faint:var(--lightningcss-light,#e3e1db)var(--lightningcss-dark,#2b3039);--edge:var(--lightningcss-light,#8b8f96)var(--lightningcss-dark,#6b7380);--accent:var(--lightningcss-light,#3a4fd0)var(--lightningcss-dark,#9db0ff);--on-accent:var(--lightningcss-light,#fff)var(--lightningcss-dark,#12152a);--wash:var(--lightningcss-light,#3a4fd014)var(--lightningcss-dark,#9db0ff1f);--bad:var(--lightningcss-light,#a8231c)var(--lightningcss-dark,#ff9a8f);--good:var(--lightningcss-light,#1d6b41)var(--lightningcss-dark,#7fd6a4);--warn:var(--lightningcss-light,#8a5300)var(--lightningcss-dark,#f0c36d);--radius:12px;--small:8px;font-feature-settings:\"tnum\";font:15px/1.5 system-ui,-apple-system,Segoe UI,Roboto,Noto Sans,sans-serif}@media (prefers-color-scheme:dark){:root{--lightningcss-light: ;--lightningcss-dark:initial}}:root[data-theme=light]{--lightningcss-light:initial;--lightningcss-dark: ;color-scheme:light}:root[data-theme=dark]{--lightningcss-light: ;--lightningcss-dark:initial;color-scheme:dark}*,:before,:after{box-sizing:border-box}body{background:var(--page);color:var(--ink);margin:0}h1,h2,h3,p,figure,dl,dd,ul,pre{margin:0}h1{letter-spacing:-.02em;overflow-wrap:anywhere;font-size:1.6rem;font-weight:650;line-height:1.2}h2{letter-spacing:-.005em;font-size:1rem;font-weight:620}h3{color:var(--muted);font-size:.82rem;font-weight:600}a{color:var(--accent);text-underline-offset:3px;text-decoration-thickness:1px}.muted{color:var(--muted)}.small{font-size:.84rem}.unseen{clip-path:inset(50%);white-space:nowrap;width:1px;height:1px;position:absolute;overflow:hidden}:focus-visible{outline:2.5px solid var(--accent);outline-offset:2px;border-radius:6px}button,.button,input,select,textarea{font:inherit;color:inherit}button,.button{border:1px solid var(--edge);border-radius:var(--small);background:var(--ground);min-height:34px;color:var(--ink);cursor:pointer;white-space:nowrap;justify-content:center;align-items:center;gap:.4em;padding:4px 13px;text-decoration:none;display:inline-flex}button:hover:not(:disabled),.button:hover{border-color:var(--accent);color:var(--accent)}button:disabled{opacity:.5;cursor:default}.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:560}.primary:hover:not(:disabled){color:var(--on-accent);filter:brightness(1.08)}.quiet{color:var(--muted);background:0 0;border-color:#0000;padding:4px 8px}.quiet:hover:not(:disabled){background:var(--raised);border-color:#0000}input:not([type]),input[type=text],input[type=search],input[type=number],select,textarea{border:1px solid var(--edge);border-radius:var(--small);background:var(--ground);min-width:0;max-width:100%;min-height:34px;padding:4px 10px}input::placeholder,textarea::placeholder{color:var(--muted);opacity:1}input[type=color]{border:1px solid var(--edge);border-radius:var(--small);background:var(--ground);width:40px;height:34px;padding:2px}input[type=checkbox],input[type=range]{accent-color:var(--accent)}input[type=checkbox]{width:16px;height:16px;margin:0}input[type=range]{height:24px;margin:0}.labelled{align-items:center;gap:8px;min-width:0;display:inline-flex}.labelled>span{color:var(--muted);white-space:nowrap;font-size:.87rem}.check{cursor:pointer;align-items:center;gap:8px;font-size:.9rem;display:inline-flex}.slider{align-items:center;gap:10px;min-width:0;font-size:.87rem;display:flex}.slider>span{color:var(--muted)}.slider>input{flex:1;min-width:70px}.slider>output{text-align:right;font-variant-numeric:tabular-nums;min-width:4.2em}.choice{border:1px solid var(--edge);border-radius:var(--small);background:var(--ground);display:inline-flex}.choice>button{background:0 0;border:0;border-radius:0;min-height:32px}.choice>button:first-child{border-radius:7px 0 0 7px}.choice>button:last-child{border-radius:0 7px 7px 0}.choice>button[aria-pressed=true]{background:var(--accent);color:var(--on-accent)}.toolbar{flex-wrap:wrap;align-items:center;gap:10px 16px;display:flex}.chips,.legend{flex-wrap:wrap;align-items:center;gap:6px;display:flex}.chip{border:1px solid var(--faint);background:var(--ground);border-radius:99px;align-items:center;gap:7px;min-height:28px;padding:1px 11px;font-size:.85rem;display:inline-flex}.chip[aria-pressed=true]{border-color:var(--edge);background:var(--raised)}.legend .chip[aria-pressed=false]{color:var(--muted);text-decoration:line-through}.legend .chip[aria-pressed=false] .dot{opacity:.25}.chip .quiet{min-height:22px;padding:0 4px}.dot{border-radius:50%;width:10px;height:10px}.panel{border:1px solid var(--faint);border-radius:var(--radius);background:var(--ground);flex-direction:column;gap:14px;min-width:0;padding:18px 20px;display:flex}.panel>header{flex-wrap:wrap;justify-content:space-between;align-items:center;gap:8px 16px;display:flex}.panel>header .aside{flex-wrap:wrap;align-items:center;gap:8px 14px;min-width:0;display:flex}.stack{flex-direction:column;gap:18px;min-width:0;display:flex}.facts{flex-wrap:wrap;gap:8px 26px;display:flex}.facts dt{color:var(--muted);font-size:.8rem}.facts dd{font-variant-numeric:tabular-nums}.trouble{border-left:3px solid var(--bad);background:color-mix(in srgb, var(--bad) 8%, transparent);color:var(--bad);overflow-wrap:anywhere;border-radius:4px;padding:10px 14px}.picture{image-rendering:pixelated;color:var(--accent);border-radius:3px;display:block}figure{flex-direction:column;gap:5px;min-width:0;display:flex}figcaption{color:var(--muted);font-size:.8rem}.sheet{max-width:100%;height:auto}.sheet.wide{width:100%}.picture.probe{aspect-ratio:auto;border:1px solid var(--faint);width:100%;max-width:248px;height:auto;margin-inline:auto}.picture-button{background:0 0;border:2px solid #0000;border-radius:6px;flex-direction:column;gap:3px;min-height:0;padding:3px}.plane{border-radius:var(--small);background:var(--ground);touch-action:none;-webkit-user-select:none;user-select:none;cursor:crosshair;width:100%;height:100%;position:relative;overflow:hidden}.plane.tool-pan{cursor:grab}.plane.tool-pan.dragging{cursor:grabbing}.plane canvas{width:100%;height:100%;position:absolute;inset:0}.plane-box{border:1px solid var(--faint);border-radius:var(--small);height:clamp(320px,62vh,640px);position:relative}.plane-box .axis{background:color-mix(in srgb, var(--ground) 82%, transparent);color:var(--muted);pointer-events:none;border-radius:6px;padding:1px 7px;font-size:.78rem;position:absolute}.axis.across{bottom:24px;right:8px}.axis.up{top:8px;left:34px}@media (prefers-reduced-motion:reduce){*,:before,:after{scroll-behavior:auto!important;transition:none!important;animation:none!important}}", z, B, se, ce, le = Object.is, V = 0, ue = [], de = [], H = e, fe = H.__b, pe = H.__r, me = H.diffed, he = H.__c, ge = H.unmount, _e = H.__;
function U(e, t) {
	H.__h && H.__h(B, e, V || t), V = 0;
	var n = B.__H || (B.__H = {
		__: [],
		__h: []
	});
	return e >= n.__.length && n.__.push({}), n.__[e];
}
function W(e) {
	return V = 1, ve(Ee, e);
}
function ve(e, t, n) {
	var r = U(z++, 2);
	if (r.t = e, !r.__c && (r.__ = [n ? n(t) : Ee(void 0, t), function(e) {
		var t = (r.__N || r.__)[0], n = r.t(t, e);
		le(t, n) || (r.__N = [n, r.__[1]], r.__c.setState({}));
	}], r.__c = B, !B.__f)) {
		B.__f = !0;
		var i = B.shouldComponentUpdate;
		B.shouldComponentUpdate = function(e, t, n) {
			var r = this.__H;
			if (!r) return !0;
			var a = !1, o = this.props != e;
			if (r.__.some(function(e) {
				e.__N && (a = !0, le(e.__[0], e.__N[0]) || (o = !0));
			}), i) {
				var s = i.call(this, e, t, n);
				return a ? s || o : s;
			}
			return !a || o;
		};
	}
	return r.__;
}
function G(e, t) {
	var n = U(z++, 3);
	!H.__s && Te(n.__H, t) && (n.__P = !0, n.__ = e, n.u = t, B.__H.__h.push(n));
}
function ye(e, t) {
	var n = U(z++, 4);
	!H.__s && Te(n.__H, t) && (n.__P = !1, n.__ = e, n.u = t, B.__h.push(n));
}
function K(e) {
	return V = 5, q(function() {
		return { current: e };
	}, []);
}
function q(e, t) {
	var n = U(z++, 7);
	return Te(n.__H, t) && (n.__ = e(), n.__H = t), n.__;
}
function be() {
	var e;
	do {
		for (; e = de.shift();) try {
			J(e);
		} catch (t) {
			H.__e(t, { __: (e = e.__P) && e.__v });
		}
		for (; e = ue.shift();) {
			var t = e.__H;
			if (e.__P && t) try {
				t.__h.some(J), t.__h.some(we), t.__h = [];
			} catch (n) {
				t.__h = [], H.__e(n, e.__v);
			}
		}
	} while (de.length);
}
H.__b = function(e) {
	B = null, fe && fe(e);
}, H.__ = function(e, t) {
	e && t.__k && t.__k.__m && (e.__m = t.__k.__m), _e && _e(e, t);
}, H.__r = function(e) {
	pe && pe(e), z = 0;
	var t = (B = e.__c).__H;
	t && (se == B ? B.__h = [] : (t.__h.some(J), t.__h.some(we), z = 0), t.__h = [], t.__.some(function(e) {
		e.__N && (e.__ = e.__N), e.u = e.__N = void 0;
	})), se = B;
}, H.diffed = function(e) {
	me && me(e);
	var t = e.__c;
	t && t.__H && (t.__H.__h.length && Ce(ue.push(t)), t.__H.__.some(function(e) {
		e.u && (e.__H = e.u);
	})), se = B = null;
}, H.__c = function(e, t) {
	t.some(function(e) {
		try {
			e.__h.some(J), e.__h = e.__h.filter(function(e) {
				return !e.__ || we(e);
			});
		} catch (t) {
			e.__h = [function() {
				throw t;
			}];
		}
	}), he && he(e, t);
}, H.unmount = function(e) {
	ge && ge(e);
	var t, n, r = e.__c;
	r && r.__H && (r.__H.__.some(function(r) {
		try {
			if (r.__P && r.__c) {
				if (n === void 0) {
					for (n = e.__; n && (!n.__c || !n.__c.__P);) n = n.__;
					n &&= n.__c;
				}
				r.__P = n, Ce(de.push(r));
			} else J(r);
		} catch (e) {
			t = e;
		}
	}), r.__H = void 0, t && H.__e(t, r.__v));
};
var xe = typeof requestAnimationFrame == "function";
function Se(e) {
	var t, n = function() {
		clearTimeout(r), xe && cancelAnimationFrame(t), setTimeout(e);
	}, r = setTimeout(n, 35);
	xe && (t = requestAnimationFrame(n));
}
function Ce(e) {
	e != 1 && ce == H.requestAnimationFrame || ((ce = H.requestAnimationFrame) || Se)(be);
}
function J(e) {
	var t = B, n = e.__c;
	typeof n == "function" && (e.__c = void 0, n()), B = t;
}
function we(e) {
	var t = B;
	e.__c = e.__(), B = t;
}
function Te(e, t) {
	return !e || e.length != t.length || t.some(function(t, n) {
		return !le(t, e[n]);
	});
}
function Ee(e, t) {
	return typeof t == "function" ? t(e) : t;
}
// src/core/decoder.ts
var De = class {
	work;
	done;
	failed;
	waiting = null;
	busy = !1;
	closed = !1;
	constructor(e, t, n = () => {}) {
		this.work = e, this.done = t, this.failed = n;
	}
	push(e) {
		this.waiting = { request: e }, this.busy || this.drain();
	}
	close() {
		this.closed = !0, this.waiting = null;
	}
	get idle() {
		return !this.busy && !this.waiting;
	}
	async drain() {
		for (this.busy = !0; this.waiting && !this.closed;) {
			let { request: e } = this.waiting;
			this.waiting = null;
			try {
				let t = await this.work(e);
				this.closed || this.done(t, e);
			} catch (t) {
				this.closed || this.failed(t instanceof Error ? t : Error(String(t)), e);
			}
		}
		this.busy = !1;
	}
};
// src/core/splat.ts
function Oe(e, t = 1) {
	let n = Math.ceil(e), r = [], i = [], a = [];
	for (let o = -n; o <= n; o++) for (let s = -n; s <= n; s++) {
		let n = Math.max(0, Math.min(1, e + .5 - Math.hypot(s, o)));
		n < .04 || (r.push(s), i.push(o), a.push(Math.round(256 * n * t)));
	}
	return {
		x: Int16Array.from(r),
		y: Int16Array.from(i),
		cover: Uint16Array.from(a),
		reach: n
	};
}
var ke = (e) => e > 5e4 ? 1 : e > 12e3 ? 1.4 : e > 3e3 ? 2 : e > 600 ? 2.6 : 3.4;
function Ae(e) {
	let t = Number.parseInt(e.slice(1), 16);
	return 4278190080 | (t & 255) << 16 | t & 65280 | t >> 16;
}
function je(e, t, n, r, i, a, o, s) {
	let { x: c, y: l, cover: u, reach: d } = s, f = r.length >> 1, p = i.scale, m = t / 2 - i.u * p, h = n / 2 + i.v * p;
	for (let i = 0; i < f; i++) {
		let s = a[o ? o[i] : 0];
		if (!s) continue;
		let f = Math.round(m + r[2 * i] * p), g = Math.round(h - r[2 * i + 1] * p);
		if (!(f >= -d && g >= -d && f < t + d && g < n + d)) continue;
		let _ = f >= d && g >= d && f < t - d && g < n - d, v = s & 255, y = s >> 8 & 255, b = s >> 16 & 255;
		for (let r = 0; r < c.length; r++) {
			let i = f + c[r], a = g + l[r];
			if (!_ && (i < 0 || a < 0 || i >= t || a >= n)) continue;
			let o = a * t + i, d = u[r], p = e[o], m = p >>> 24;
			if (d >= 256) e[o] = s;
			else if (!m) e[o] = Math.min(255, d) << 24 | s & 16777215;
			else {
				let t = 256 - d, n = (p & 255) * t + v * d >> 8, r = (p >> 8 & 255) * t + y * d >> 8, i = (p >> 16 & 255) * t + b * d >> 8;
				e[o] = m + ((255 - m) * d >> 8) << 24 | i << 16 | r << 8 | n;
			}
		}
	}
}
function Me(e, t = 1) {
	let n = Uint32Array.from({ length: e }, (e, t) => t), r = t >>> 0;
	for (let t = e - 1; t > 0; t--) {
		r = Math.imul(r, 1664525) + 1013904223 >>> 0;
		let e = Math.floor(r / 4294967296 * (t + 1));
		[n[t], n[e]] = [n[e], n[t]];
	}
	return n;
}
function Ne(e, t) {
	let n = Me(t.length), r = new Float32Array(e.length);
	return n.forEach((t, n) => {
		r[2 * n] = e[2 * t], r[2 * n + 1] = e[2 * t + 1];
	}), {
		positions: r,
		classes: t.map((e, r) => t[n[r]])
	};
}
var Pe = class {
	positions;
	start;
	members;
	left;
	low;
	cell;
	columns;
	rows;
	constructor(e) {
		this.positions = e;
		let t = e.length >> 1, [n, r, i, a] = [
			Infinity,
			-Infinity,
			Infinity,
			-Infinity
		];
		for (let o = 0; o < t; o++) {
			let [t, s] = [e[2 * o], e[2 * o + 1]];
			t < n && (n = t), t > r && (r = t), s < i && (i = s), s > a && (a = s);
		}
		t || ([n, r, i, a] = [
			0,
			1,
			0,
			1
		]), this.left = n, this.low = i, this.cell = Math.max(1e-9, Math.sqrt(Math.max(r - n, 1e-9) * Math.max(a - i, 1e-9) * 4 / Math.max(1, t)), (r - n) / 2e3, (a - i) / 2e3), this.columns = Math.floor((r - n) / this.cell) + 1, this.rows = Math.floor((a - i) / this.cell) + 1, this.start = new Uint32Array(this.columns * this.rows + 1);
		let o = new Uint32Array(t);
		for (let n = 0; n < t; n++) o[n] = this.at(e[2 * n], e[2 * n + 1]), this.start[o[n] + 1]++;
		for (let e = 0; e < this.columns * this.rows; e++) this.start[e + 1] += this.start[e];
		let s = this.start.slice();
		this.members = new Uint32Array(t);
		for (let e = 0; e < t; e++) this.members[s[o[e]]++] = e;
	}
	at(e, t) {
		let n = Math.max(0, Math.min(this.columns - 1, Math.floor((e - this.left) / this.cell)));
		return Math.max(0, Math.min(this.rows - 1, Math.floor((t - this.low) / this.cell))) * this.columns + n;
	}
	nearest(e, t, n, r) {
		let i = (e, t) => Math.max(0, Math.min(t, e)), a = i(Math.floor((e - n - this.left) / this.cell), this.columns - 1), o = i(Math.floor((e + n - this.left) / this.cell), this.columns - 1), s = i(Math.floor((t - n - this.low) / this.cell), this.rows - 1), c = i(Math.floor((t + n - this.low) / this.cell), this.rows - 1), l = -1, u = n * n;
		for (let n = s; n <= c; n++) for (let i = a; i <= o; i++) {
			let a = n * this.columns + i;
			for (let n = this.start[a]; n < this.start[a + 1]; n++) {
				let i = this.members[n], a = (this.positions[2 * i] - e) ** 2 + (this.positions[2 * i + 1] - t) ** 2;
				a <= u && (!r || r(i)) && (u = a, l = i);
			}
		}
		return l;
	}
}, Fe = [
	"#1829ac",
	"#ed5c1e",
	"#499e71",
	"#7948cc",
	"#b82556",
	"#388cfc",
	"#4d580a",
	"#ca6ebd",
	"#31638f",
	"#592262"
], Ie = [
	"#1da3ae",
	"#f94e73",
	"#d7b20f",
	"#c1a7fd",
	"#36dc94",
	"#5c5fec",
	"#daf932",
	"#af35af",
	"#9bfbfa",
	"#897718"
], Le = {
	ground: "#ffffff",
	ink: "#1c2024",
	muted: "#5f6670",
	faint: "#d9d8d2",
	accent: "#3a4fd0",
	wash: "#3a4fd01f"
}, Re = {
	ground: "#17191e",
	ink: "#eceef1",
	muted: "#9ba3af",
	faint: "#343a44",
	accent: "#9db0ff",
	wash: "#9db0ff2b"
}, Y = (e) => e ? Re : Le, ze = (e) => e ? Ie : Fe, Be = (e, t) => ze(t)[e % 10], Ve = 65535;
function He(e, t) {
	return e?.data.some((e) => e !== t) ? Uint16Array.from(e.data, (e) => e === t ? Ve : e) : null;
}
function Ue(e, t, n = !0) {
	let r = /* @__PURE__ */ new Int32Array(65536);
	if (!n) return r.fill(Ae(Y(e).accent));
	let i = ze(e).map(Ae);
	for (let e = 0; e < Ve; e++) r[e] = i[e % i.length];
	return r[Ve] = Ae(Y(e).muted), t?.forEach((e) => r[e] = 0), r;
}
// src/core/plane.ts
function We(e, t, n, r) {
	let { origin: i, basis: a } = e;
	if (!a) throw Error("There is no way back from this plane to the latent space.");
	let [o, s] = r ? Ge(e, r) : [0, 0], c = r ?? i;
	return Float32Array.from(i, (e, r) => c[r] + (t - o) * a[0][r] + (n - s) * a[1][r]);
}
function Ge(e, t) {
	let { origin: n, basis: r } = e;
	if (!r) throw Error("There is no way from the latent space onto this plane.");
	let i = 0, a = 0;
	for (let e = 0; e < n.length; e++) i += (t[e] - n[e]) * r[0][e], a += (t[e] - n[e]) * r[1][e];
	return [i, a];
}
var X = (e, t, n, r, i) => [t / 2 + (r - e.u) * e.scale, n / 2 - (i - e.v) * e.scale], Z = (e, t, n, r, i) => [e.u + (r - t / 2) / e.scale, e.v - (i - n / 2) / e.scale];
function Ke(e, t, n, r = .9) {
	let i = e.length / 2;
	if (!i) return {
		u: 0,
		v: 0,
		scale: Math.min(t, n) / 6
	};
	let a = (t) => {
		let n = Float64Array.from({ length: i }, (n, r) => e[2 * r + t]).sort();
		return [n[Math.floor(.002 * (i - 1))], n[Math.ceil(.998 * (i - 1))]];
	}, [[o, s], [c, l]] = [a(0), a(1)], u = r * Math.min(t / Math.max(s - o, 1e-6), n / Math.max(l - c, 1e-6));
	return {
		u: (o + s) / 2,
		v: (c + l) / 2,
		scale: u
	};
}
function qe(e, t, n, r, i, a) {
	let [o, s] = Z(e, t, n, r, i), c = Math.max(.001, Math.min(1e6, e.scale * a));
	return {
		u: o - (r - t / 2) / c,
		v: s + (i - n / 2) / c,
		scale: c
	};
}
var Je = (e, t, n) => ({
	...e,
	u: e.u - t / e.scale,
	v: e.v + n / e.scale
});
function Ye(e, t, n) {
	let r = !1;
	for (let i = 0, a = e.length - 1; i < e.length; a = i++) {
		let [o, s] = e[i], [c, l] = e[a];
		s > n != l > n && t < (c - o) * (n - s) / (l - s) + o && (r = !r);
	}
	return r;
}
function Xe(e, t, n) {
	if (t.length < 3) return [];
	let r = t.map((e) => e[0]), i = t.map((e) => e[1]), [a, o, s, c] = [
		Math.min(...r),
		Math.max(...r),
		Math.min(...i),
		Math.max(...i)
	], l = [];
	for (let r = 0; r < e.length / 2; r++) {
		let i = e[2 * r], u = e[2 * r + 1];
		i < a || i > o || u < s || u > c || (!n || n(r)) && Ye(t, i, u) && l.push(r);
	}
	return l;
}
// src/parts/scene.ts
var Ze = 8e4, Qe = class {
	points;
	marks;
	window = null;
	width = 0;
	height = 0;
	hover = -1;
	probe = null;
	trail = [];
	props;
	grid;
	drawn;
	image = null;
	asked = 0;
	stale = { points: !0 };
	moving = 0;
	home = {
		of: [],
		scale: 1
	};
	constructor(e, t) {
		this.points = e, this.marks = t;
	}
	ask(e = !0) {
		this.stale.points ||= e, this.asked ||= requestAnimationFrame(() => this.draw());
	}
	move() {
		clearTimeout(this.moving), this.moving = setTimeout(() => {
			this.moving = 0, this.props.positions.length > Ze && this.ask();
		}, 140), this.ask();
	}
	stop() {
		clearTimeout(this.moving), cancelAnimationFrame(this.asked);
	}
	shown = (e) => !this.props.hidden?.size || !this.props.labels || !this.props.hidden.has(this.props.labels[e]);
	draw() {
		if (this.asked = 0, !this.width || !this.height || !this.window) return;
		let e = devicePixelRatio || 1;
		this.stale.points && this.drawPoints(e), this.stale.points = !1, this.drawMarks(e);
	}
	drawPoints(e) {
		let { labels: t, hidden: n, backdrop: r, opacity: i = 1 } = this.props, a = this.props.dark || !!r, { positions: o, classes: s } = this.drawn, [c, l] = [Math.round(this.width * e), Math.round(this.height * e)], u = this.points;
		(u.width !== c || u.height !== l) && ([u.width, u.height] = [c, l]);
		let d = u.getContext("2d"), f = {
			...this.window,
			scale: this.window.scale * e
		};
		this.image && this.image.width === c && this.image.height === l || (this.image = new ImageData(c, l));
		let p = new Int32Array(this.image.data.buffer);
		if (r) {
			d.fillStyle = Y(a).ground, d.fillRect(0, 0, c, l);
			let [e, t] = X(f, c, l, r.left, r.high), [n, i] = X(f, c, l, r.right, r.low);
			d.imageSmoothingEnabled = !1, d.drawImage(r.image, e, t, n - e, i - t), p.set(new Int32Array(d.getImageData(0, 0, c, l).data.buffer));
		} else p.fill(0);
		let m = o.length / 2;
		if (i > 0) {
			let r = this.window.scale / this.homeScale(o), u = Math.min(5, ke(m) * Math.max(1, Math.min(1.8, Math.sqrt(r)))) * e, d = this.moving && 2 * m > Ze ? Math.min(u, .5 * e) : u, h = Ue(a, n, !!t), g = i * (m > 12e3 ? .75 : .9), _ = this.cohort();
			je(p, c, l, o, f, h, s, Oe(d, _ ? .13 * g : g)), _ && je(p, c, l, _.positions, f, h, _.classes, Oe(d, g));
		}
		d.putImageData(this.image, 0, 0);
	}
	homeScale(e) {
		let t = [
			e,
			this.width,
			this.height
		];
		return t.some((e, t) => e !== this.home.of[t]) && (this.home = {
			of: t,
			scale: Ke(e.subarray(0, 2e3), this.width, this.height).scale || 1
		}), this.home.scale;
	}
	cohort() {
		let { positions: e, labels: t, marked: n } = this.props;
		if (!n?.length) return null;
		let r = new Float32Array(2 * n.length);
		return n.forEach((t, n) => r.set(e.subarray(2 * t, 2 * t + 2), 2 * n)), {
			positions: r,
			classes: t ? Uint16Array.from(n, (e) => t[e]) : null
		};
	}
	drawMarks(e) {
		let { positions: t, chosen: n = -1, walkable: r } = this.props, i = this.props.dark || !!this.props.backdrop, a = this.marks, [o, s] = [Math.round(this.width * e), Math.round(this.height * e)];
		(a.width !== o || a.height !== s) && ([a.width, a.height] = [o, s]);
		let c = a.getContext("2d"), l = Y(i);
		c.setTransform(e, 0, 0, e, 0, 0), c.clearRect(0, 0, this.width, this.height);
		let u = (e, t) => X(this.window, this.width, this.height, e, t);
		this.drawAxes(c, l.faint, l.muted);
		let d = (e, n, r, i) => {
			let [a, o] = u(t[2 * e], t[2 * e + 1]);
			c.beginPath(), c.arc(a, o, n, 0, 7), c.lineWidth = i, c.strokeStyle = r, c.stroke();
		};
		for (let [e, r] of [[this.hover, 7], [n, 9]]) e >= 0 && 2 * e < t.length && (d(e, r, l.ground, 5), d(e, r, l.ink, 2));
		if (this.trail.length > 1 && (c.beginPath(), this.trail.forEach(([e, t], n) => c[n ? "lineTo" : "moveTo"](...u(e, t))), c.closePath(), c.fillStyle = l.wash, c.fill(), c.lineWidth = 2, c.strokeStyle = l.accent, c.stroke()), this.probe && r) {
			let [e, t] = u(...this.probe);
			for (let [n, r] of [[l.ground, 5], [l.accent, 2]]) {
				c.lineWidth = r, c.strokeStyle = n, c.beginPath(), c.arc(e, t, 8, 0, 7);
				for (let [n, r] of [
					[1, 0],
					[-1, 0],
					[0, 1],
					[0, -1]
				]) c.moveTo(e + 8 * n, t + 8 * r), c.lineTo(e + 16 * n, t + 16 * r);
				c.stroke();
			}
		}
	}
	drawAxes(e, t, n) {
		let { scale: r } = this.window, i = 10 ** Math.ceil(Math.log10(60 / r)), a = i / 5 * r >= 60 ? i / 5 : i / 2 * r >= 60 ? i / 2 : i, [o, s] = Z(this.window, this.width, this.height, 0, 0), [c, l] = Z(this.window, this.width, this.height, this.width, this.height);
		e.font = "11px system-ui, sans-serif";
		let u = (e) => String(Number(e.toPrecision(6))), d = (t, r, i) => {
			e.lineWidth = 3, e.strokeStyle = Y(this.props.dark || !!this.props.backdrop).ground, e.strokeText(t, r, i), e.fillStyle = n, e.fillText(t, r, i);
		};
		e.lineWidth = 1;
		for (let n = Math.ceil(o / a); n * a <= c; n++) {
			let [r] = X(this.window, this.width, this.height, n * a, 0);
			e.fillStyle = t, e.fillRect(Math.round(r), this.height - 5, 1, 5), r > 30 && r < this.width - 12 && d(u(n * a), r - 6, this.height - 9);
		}
		for (let n = Math.ceil(l / a); n * a <= s; n++) {
			let [, r] = X(this.window, this.width, this.height, 0, n * a);
			e.fillStyle = t, e.fillRect(0, Math.round(r), 5, 1), r > 12 && r < this.height - 24 && d(u(n * a), 9, r + 4);
		}
	}
}, $e = Symbol.for("pv"), et = 0;
Array.isArray;
function Q(t, n, r, i, a, o) {
	n ||= {};
	var s, c, l = n;
	if ("ref" in l && typeof t != "function") for (c in l = {}, n) c == "ref" ? s = n[c] : l[c] = n[c];
	var u = {
		type: t,
		props: l,
		key: r,
		ref: s,
		__k: null,
		__: null,
		__b: 0,
		__e: null,
		__c: null,
		constructor: $e,
		__v: --et,
		__i: -1,
		__u: 0
	};
	return (a || o) && (u.__source = a, u.__self = o), e.vnode && e.vnode(u), u;
}
// src/parts/LatentPlane.tsx
var tt = 12;
function nt(e) {
	let t = K(null), n = K(null), r = K(null), i = K(null), a = K(null), o = K(/* @__PURE__ */ new Map()), [s, c] = W(!1), l = q(() => new Pe(e.positions), [e.positions]), u = q(() => e.labels ? Ne(e.positions, e.labels) : {
		positions: e.positions,
		classes: null
	}, [e.positions, e.labels]), d = (e = !0) => {
		let t = i.current;
		t.window && t.props.onWindow?.(t.window, t.width, t.height, e);
	};
	ye(() => {
		let e = i.current = new Qe(n.current, r.current), a = new ResizeObserver(() => {
			let { clientWidth: n, clientHeight: r } = t.current, i = e.width ? Math.min(n / e.width, r / e.height) : 1;
			[e.width, e.height] = [n, r], e.window && i > 0 && Number.isFinite(i) ? e.window = {
				...e.window,
				scale: e.window.scale * i
			} : e.props && n && (e.window = e.props.window ?? Ke(e.props.positions, n, r)), e.props && e.ask(), e.props && e.window && d(!1);
		});
		a.observe(t.current);
		let o = (t) => {
			e.window && (t.preventDefault(), e.window = qe(e.window, e.width, e.height, t.offsetX, t.offsetY, Math.exp(-t.deltaY * (t.deltaMode ? .05 : .0016))), e.move(), d());
		};
		t.current.addEventListener("wheel", o, { passive: !1 });
		let s = t.current;
		return () => {
			a.disconnect(), s.removeEventListener("wheel", o), e.stop();
		};
	}, []);
	let f = K(null), p = K([]);
	ye(() => {
		let t = i.current;
		t.props = e, t.grid = l, t.drawn = u, e.probe !== void 0 && (t.probe = e.probe);
		let n = t.window;
		t.width && (!t.window || f.current && f.current !== e.positions && !e.window) && (t.window = e.window ?? Ke(e.positions, t.width, t.height)), f.current = e.positions, t.window !== n && d(!1);
		let r = [
			e.positions,
			e.labels,
			e.dark,
			e.hidden,
			e.marked,
			e.backdrop,
			e.opacity
		];
		t.ask(t.window !== n || r.some((e, t) => e !== p.current[t])), p.current = r;
	});
	let m = (e) => {
		let n = t.current.getBoundingClientRect();
		return [e.clientX - n.left, e.clientY - n.top];
	}, h = (e, t) => {
		let n = i.current;
		if (!n.window) return -1;
		let [r, a] = Z(n.window, n.width, n.height, e, t);
		return n.grid.nearest(r, a, tt / n.window.scale, n.shown);
	}, g = (e) => {
		let t = i.current;
		t.hover !== e && (t.hover = e, t.ask(!1), t.props.onHover?.(e));
	}, _ = (e, t, n) => {
		let r = i.current;
		r.probe = [e, t], r.props.onProbe?.(e, t, n), r.ask(!1);
	}, v = (n) => {
		let r = i.current, s = m(n);
		if (o.current.set(n.pointerId, s), n.button > 1 || !r.window) return;
		t.current.setPointerCapture(n.pointerId);
		let l = n.button === 1 || n.shiftKey || o.current.size > 1 || e.tool === "walk" && !e.walkable ? "pan" : e.tool, u = h(...s);
		if (a.current = {
			kind: l,
			anchor: u,
			last: s,
			moved: !1
		}, c(!0), l === "lasso" && (r.trail = [Z(r.window, r.width, r.height, ...s)]), l === "walk") {
			let [e, t] = u >= 0 ? [r.props.positions[2 * u], r.props.positions[2 * u + 1]] : Z(r.window, r.width, r.height, ...s);
			_(e, t, u);
		}
	}, y = (e, t) => {
		let n = i.current, r = o.current;
		if (r.size < 2 || !r.has(e.pointerId) || !n.window) return !1;
		let a = [...r].find(([t]) => t !== e.pointerId)[1], s = r.get(e.pointerId), [c, l] = [Math.hypot(s[0] - a[0], s[1] - a[1]), Math.hypot(t[0] - a[0], t[1] - a[1])];
		return n.window = qe(n.window, n.width, n.height, (t[0] + a[0]) / 2, (t[1] + a[1]) / 2, l / Math.max(c, 1)), n.window = Je(n.window, (t[0] - s[0]) / 2, (t[1] - s[1]) / 2), r.set(e.pointerId, t), n.move(), d(), !0;
	}, b = (e) => {
		let t = i.current, n = m(e);
		if (y(e, n)) return;
		let r = a.current;
		if (!r || !t.window) return g(h(...n));
		let [o, s] = [n[0] - r.last[0], n[1] - r.last[1]];
		if (Math.hypot(o, s) > 2 && (r.moved = !0), r.kind === "walk") return _(...Z(t.window, t.width, t.height, ...n), r.anchor);
		if (r.last = n, r.kind === "pan") return t.window = Je(t.window, o, s), t.move(), d();
		t.trail.push(Z(t.window, t.width, t.height, ...n)), t.ask(!1);
	}, x = (e) => {
		let t = i.current;
		o.current.delete(e.pointerId);
		let n = a.current;
		if (a.current = null, c(!1), n) {
			if (n.kind === "lasso") {
				let e = t.trail;
				t.trail = [], t.ask(!1), e.length > 2 && t.props.onLasso?.(Xe(t.props.positions, e, t.shown));
			} else !n.moved && n.anchor >= 0 && t.props.onPick?.(n.anchor);
		}
	};
	return G(() => g(-1), [e.positions]), /* @__PURE__ */ Q("div", {
		ref: t,
		class: `plane tool-${e.tool}${s ? " dragging" : ""}`,
		tabIndex: 0,
		role: "application",
		"aria-roledescription": "map of points",
		"aria-label": `${e.label}. Arrow keys move, plus and minus zoom, 0 shows all, Enter chooses the nearest point.`,
		onPointerDown: v,
		onPointerMove: b,
		onPointerUp: x,
		onPointerCancel: x,
		onPointerLeave: () => !a.current && g(-1),
		onKeyDown: (t) => {
			let n = i.current;
			if (!n.window || t.ctrlKey || t.metaKey || t.altKey) return;
			let r = {
				ArrowLeft: [-1, 0],
				ArrowRight: [1, 0],
				ArrowUp: [0, 1],
				ArrowDown: [0, -1]
			}[t.key];
			if (r) {
				let i = (t.shiftKey ? 100 : 12) * 1 / n.window.scale;
				if (e.walkable && e.tool !== "pan") {
					let [e, t] = n.probe ?? [n.window.u, n.window.v];
					_(e + r[0] * i, t + r[1] * i, -2);
				} else n.window = {
					...n.window,
					u: n.window.u + 3 * r[0] * i,
					v: n.window.v + 3 * r[1] * i
				}, n.ask(), d();
			} else if (t.key === "+" || t.key === "=" || t.key === "-") {
				let [r, i] = n.probe && e.walkable ? X(n.window, n.width, n.height, ...n.probe) : [n.width / 2, n.height / 2];
				n.window = qe(n.window, n.width, n.height, r, i, t.key === "-" ? .8 : 1.25), n.ask(), d();
			} else if (t.key === "0") n.window = Ke(n.props.positions, n.width, n.height), n.ask(), d();
			else if ("[]{}".includes(t.key)) n.props.onDimension?.("]}".includes(t.key) ? 1 : -1, +!!"{}".includes(t.key));
			else if (t.key === "Enter") {
				let [e, t] = n.probe ?? [n.window.u, n.window.v], r = n.grid.nearest(e, t, 200 / n.window.scale, n.shown);
				r >= 0 && n.props.onPick?.(r);
			} else if (t.key === "Escape") g(-1);
			else return;
			t.preventDefault();
		},
		children: [/* @__PURE__ */ Q("canvas", {
			ref: n,
			"aria-hidden": "true"
		}), /* @__PURE__ */ Q("canvas", {
			ref: r,
			"aria-hidden": "true"
		})]
	});
}
// src/core/pixels.ts
var rt = (e) => e.data instanceof Float32Array;
function it(e, t) {
	let { height: n, width: r, channels: i, data: a } = e, o = n * r, s = t && t.length === 4 * o ? t : new Uint8ClampedArray(4 * o), c = +(i > 2), l = i > 2 ? 2 : 0;
	for (let e = 0, t = 0, n = 0; e < o; e++, t += i, n += 4) s[n] = a[t], s[n + 1] = a[t + c], s[n + 2] = a[t + l], s[n + 3] = 255;
	return s;
}
function at(e) {
	if (!e) return [];
	let { data: t, shape: n } = e, [r, i, a] = t instanceof Float32Array ? [
		1,
		n[n.length - 1],
		1
	] : n.slice(-3), o = r * i * a, s = o ? t.length / o : 0;
	return Array.from({ length: s }, (e, n) => ({
		height: r,
		width: i,
		channels: a,
		data: t.subarray(n * o, (n + 1) * o)
	}));
}
// src/parts/Picture.tsx
var ot = 240, st = 160;
function ct(e, t, n) {
	if (rt(t)) return lt(e, t.data, n);
	let { width: r, height: i } = t;
	e.width !== r && (e.width = r), e.height !== i && (e.height = i), e.getContext("2d").putImageData(new ImageData(it(t), r, i), 0, 0);
}
function lt(e, t, n) {
	e.width = 480, e.height = 320;
	let r = Array.from(t), i = Math.min(0, n ? n[0] : Math.min(...r)), a = Math.max(0, n ? n[1] : Math.max(...r), i + 1e-9), o = e.getContext("2d"), s = (t) => (e.height - 8) * (1 - (t - i) / (a - i)) + 4, c = e.width / r.length;
	o.clearRect(0, 0, e.width, e.height), o.fillStyle = getComputedStyle(e).color, r.forEach((e, t) => {
		let [n, r] = [s(0), s(e)];
		o.fillRect(t * c + c * .12, Math.min(n, r), c * .76, Math.max(2, Math.abs(r - n)));
	}), o.globalAlpha = .4, o.fillRect(0, s(0) - 1, e.width, 2), o.globalAlpha = 1;
}
function ut({ pixels: e, label: t, size: n, class: r = "" }) {
	let i = K(null);
	ye(() => {
		i.current && e && ct(i.current, e);
	}, [e]);
	let a = e && rt(e) ? 1.5 : e ? e.width / e.height : 1, o = n ? {
		width: `${Math.round(a >= 1 ? n : n * a)}px`,
		height: `${Math.round(a >= 1 ? n / a : n)}px`
	} : void 0;
	return /* @__PURE__ */ Q("canvas", {
		ref: i,
		...t ? {
			role: "img",
			"aria-label": t
		} : { "aria-hidden": !0 },
		class: `picture ${r}`,
		style: o,
		width: 1,
		height: 1
	});
}
function dt(e, t) {
	let n = t[0]?.[0];
	if (!n) return;
	let r = rt(n), [i, a] = r ? [ot, st] : [n.width, n.height], o = Math.max(1, Math.round(i / 20));
	e.width = Math.max(...t.map((e) => e.length)) * (i + o) - o, e.height = t.length * (a + o) - o;
	let s = e.getContext("2d"), c = document.createElement("canvas"), l = r ? t.flat().flatMap((e) => Array.from(e.data)) : [], u = r ? [Math.min(...l), Math.max(...l)] : void 0;
	r && (c.style.color = getComputedStyle(e).color), t.forEach((t, n) => t.forEach((t, l) => {
		let [d, f] = [l * (i + o), n * (a + o)];
		return r ? (e.after(c), ct(c, t, u), c.remove(), s.drawImage(c, d, f, i, a)) : s.putImageData(new ImageData(it(t), i, a), d, f);
	}));
}
function ft({ rows: e, label: t, class: n = "", dark: r }) {
	let i = K(null);
	return ye(() => {
		i.current && dt(i.current, e);
	}, [e, r]), /* @__PURE__ */ Q("canvas", {
		ref: i,
		role: "img",
		"aria-label": t,
		class: `picture sheet ${n}`,
		width: 1,
		height: 1
	});
}
// src/parts/theme.ts
var pt = "(prefers-color-scheme: dark)", mt = /* @__PURE__ */ new Set(), ht = "system", gt = () => ht === "dark" || ht === "system" && matchMedia(pt).matches;
function _t() {
	let [e, t] = W(gt());
	return G(() => {
		let e = () => t(gt());
		return mt.add(e), () => void mt.delete(e);
	}, []), e;
}
// src/page/scene.ts
function vt(e) {
	let t = e.facts, n = R(e, "basis");
	return {
		facts: t,
		z: R(e, "z"),
		labels: t.classes.length ? He(e.arrays.labels, t.none ?? 255) : null,
		positions: R(e, "positions"),
		plane: {
			origin: R(e, "origin"),
			basis: [n.slice(0, t.dim), n.slice(t.dim)]
		},
		originals: at(e.arrays.pixels ?? e.arrays.values),
		mean: R(e, "mean"),
		spread: R(e, "spread"),
		samples: {
			z: R(e, "sample_z"),
			y: e.arrays.sample_y?.data ?? null
		}
	};
}
var yt = (e, t) => e.z.subarray(t * e.facts.dim, (t + 1) * e.facts.dim);
function bt(e, t, n) {
	let { dim: r } = e.facts, i = (e) => Float32Array.from({ length: r }, (t, n) => Number(n === e)), a = e.mean.slice();
	a[t] = a[n] = 0;
	let o = e.z.length / r, s = new Float32Array(2 * o);
	for (let i = 0; i < o; i++) s.set([e.z[i * r + t], e.z[i * r + n]], 2 * i);
	return {
		plane: {
			origin: a,
			basis: [i(t), i(n)]
		},
		positions: s
	};
}
function xt(e, t) {
	let n = t.shape.reduce((e, t) => e * t, 1), r = e.length / n, i = (t) => e.subarray(t * n, (t + 1) * n);
	if (t.kind === "vector") return Array.from({ length: r }, (e, t) => ({
		height: 1,
		width: n,
		channels: 1,
		data: i(t).slice()
	}));
	let [a, o, s] = t.shape, c = a === 3 ? 3 : 1, l = a / c, u = 255 / (t.high - t.low || 1);
	return Array.from({ length: r }, (e, n) => {
		let r = i(n), d = new Uint8Array(o * s * c);
		for (let e = 0; e < c; e++) for (let n = 0; n < o * s; n++) {
			let i = 0;
			for (let t = e; t < a; t += c) i += r[t * o * s + n];
			d[n * c + e] = Math.max(0, Math.min(255, Math.round((i / l - t.low) * u)));
		}
		return {
			height: o,
			width: s,
			channels: c,
			data: d
		};
	});
}
var St = ({ facts: e, mean: t, spread: n }, r) => e.unit === "z" ? [-3, 3] : [t[r] - 3 * (n[r] || 1), t[r] + 3 * (n[r] || 1)], Ct = 9, wt = 8, Tt = 48, $ = 16;
function Et(e, t, n, r) {
	let [i, a] = W([]), [o, s] = W(null), c = q(() => new De((t) => e.decode(t.z, t.n, t.y), (e) => (a(e), s(null)), (e) => s(e.message)), [e]);
	return G(() => () => c.close(), [c]), G(() => {
		t && c.push({
			z: t,
			n,
			y: r
		});
	}, [
		c,
		t,
		n,
		JSON.stringify(r)
	]), {
		shown: t ? i : [],
		error: o
	};
}
function Dt({ scene: e, batches: t }) {
	let { facts: n } = e, [r, i] = W(n.conditional ? 0 : null), [a, o] = W(() => n.walkable ? e.mean.slice() : yt(e, 0).slice());
	return /* @__PURE__ */ Q("div", {
		class: "stack explorer-parts",
		children: [
			/* @__PURE__ */ Q(Ot, {
				scene: e,
				batches: t,
				z: a,
				onZ: o,
				y: r,
				onY: i
			}),
			n.walkable && /* @__PURE__ */ Q(It, {
				scene: e,
				batches: t,
				z: a,
				y: r
			}),
			/* @__PURE__ */ Q(Rt, {
				scene: e,
				batches: t,
				y: r
			})
		]
	});
}
function Ot({ scene: e, batches: t, z: n, onZ: r, y: i, onY: a }) {
	let { facts: o } = e, s = _t(), [c, l] = W(null), [u, d] = W(/* @__PURE__ */ new Set()), [f, p] = W(-1), [m, h] = W(-1), [g, _] = W(null), [v, y] = W(!1), b = q(() => c ? bt(e, ...c) : {
		plane: e.plane,
		positions: e.positions
	}, [e, c?.join()]), x = kt(t, i), S = K(null), C = Ft({
		batches: t,
		seen: b,
		view: g,
		y: i,
		on: v && o.walkable && o.kind === "image"
	});
	G(() => {
		o.walkable ? x.push(n) : e.z.length && x.push(yt(e, Math.max(0, m)).slice());
	}, [x.queue, m]);
	let w = (t, n, i) => {
		if (!o.walkable) return;
		i >= -1 && (S.current = i >= 0 ? yt(e, i) : null);
		let a = We(b.plane, t, n, S.current);
		x.push(a), r(a);
	}, T = (t) => {
		h(t), o.conditional && e.labels && e.labels[t] < o.classes.length && a(e.labels[t]);
	}, ee = (e, t) => {
		if (!c) return;
		let n = [...c];
		n[t] = (n[t] + e + o.dim) % o.dim, l(n);
	}, E = f >= 0 ? f : m, D = q(() => o.walkable ? Ge(b.plane, n) : null, [b, n]), O = c ? [`z${c[0]}`, `z${c[1]}`] : o.axes;
	return /* @__PURE__ */ Q("section", {
		class: "panel",
		"aria-labelledby": "space",
		children: [/* @__PURE__ */ Q("header", { children: [/* @__PURE__ */ Q("h2", {
			id: "space",
			children: "Latent space"
		}), /* @__PURE__ */ Q("div", {
			class: "aside",
			children: [o.dim > 2 && /* @__PURE__ */ Q(jt, {
				facts: o,
				dims: c,
				onDims: l
			}), o.walkable && o.kind === "image" && /* @__PURE__ */ Q("label", {
				class: "check",
				children: [/* @__PURE__ */ Q("input", {
					type: "checkbox",
					checked: v,
					onChange: (e) => y(e.currentTarget.checked)
				}), " decoded behind"]
			})]
		})] }), /* @__PURE__ */ Q("div", {
			class: "explorer",
			children: [/* @__PURE__ */ Q("div", { children: [
				/* @__PURE__ */ Q("div", {
					class: "plane-box",
					children: [
						/* @__PURE__ */ Q(nt, {
							positions: b.positions,
							labels: e.labels,
							dark: s,
							tool: o.walkable ? "walk" : "pan",
							hidden: u,
							probe: D,
							walkable: o.walkable,
							onProbe: w,
							onHover: p,
							onPick: T,
							onDimension: ee,
							onWindow: (e, t, n) => _({
								window: e,
								width: t,
								height: n
							}),
							chosen: m,
							backdrop: C,
							label: `${o.source} on the plane of ${O.join(" and ")}`
						}, c?.join() ?? "given"),
						/* @__PURE__ */ Q("span", {
							class: "axis across",
							children: O[0]
						}),
						/* @__PURE__ */ Q("span", {
							class: "axis up",
							children: O[1]
						})
					]
				}),
				e.labels && /* @__PURE__ */ Q(Mt, {
					scene: e,
					hidden: u,
					onHidden: d,
					dark: s || !!C
				}),
				/* @__PURE__ */ Q("p", {
					class: "muted small words",
					children: At(e, c)
				})
			] }), /* @__PURE__ */ Q("div", {
				class: "beside",
				children: [
					/* @__PURE__ */ Q("figure", {
						class: "probe-box",
						children: [/* @__PURE__ */ Q("canvas", {
							ref: x.canvas,
							role: "img",
							"aria-label": o.walkable ? "What the decoder makes of the probe's place" : "The reconstruction of the chosen point",
							class: "picture probe",
							width: 1,
							height: 1
						}), /* @__PURE__ */ Q("figcaption", { children: o.walkable ? "decoded at the probe" : "reconstruction" })]
					}),
					o.conditional && /* @__PURE__ */ Q("label", {
						class: "labelled",
						children: [/* @__PURE__ */ Q("span", { children: "as class" }), /* @__PURE__ */ Q("select", {
							value: String(i),
							onChange: (e) => a(Number(e.currentTarget.value)),
							children: o.classes.map((e, t) => /* @__PURE__ */ Q("option", {
								value: t,
								children: e
							}))
						})]
					}),
					x.error && /* @__PURE__ */ Q("p", {
						class: "trouble",
						role: "alert",
						children: x.error
					}),
					o.walkable && /* @__PURE__ */ Q(Nt, {
						z: n,
						order: o.order
					}),
					/* @__PURE__ */ Q(Pt, {
						scene: e,
						index: E
					})
				]
			})]
		})]
	});
}
function kt(e, t) {
	let n = K(null), [r, i] = W(null), a = K(null), o = q(() => new De((n) => e.decode(n, 1, t), ([e]) => {
		n.current && ct(n.current, e);
	}, (e) => i(e.message)), [e, t]);
	return G(() => (a.current && o.push(a.current), () => o.close()), [o]), {
		canvas: n,
		queue: o,
		push: (e) => {
			a.current = e, o.push(e);
		},
		error: r
	};
}
function At({ facts: e, z: t }, n) {
	let r = `${(t.length / e.dim).toLocaleString("en")} of ${e.total.toLocaleString("en")} ${e.source}.`;
	if (!e.walkable) return `${r} ${e.why} Point at one to see it; click to choose it.`;
	if (e.dim <= 2) return `${r} This is the whole latent space: drag, and every place is decoded.`;
	let i = "A drag that begins at a point keeps what that point has outside the plane.";
	return n ? `${r} Two of ${e.dim} dimensions, the others at their mean. ${i}` : `${r} The plane of the largest variance holds ${Math.round(100 * (e.explained ?? []).reduce((e, t) => e + t, 0))} % of it. ${i}`;
}
function jt({ facts: e, dims: t, onDims: n }) {
	let r = (e) => (r) => {
		let i = [...t ?? [0, 1]];
		i[e] = Number(r.currentTarget.value), n(i);
	}, i = [...e.order].slice(0, 200).sort((e, t) => e - t);
	return /* @__PURE__ */ Q(y, { children: [/* @__PURE__ */ Q("label", {
		class: "labelled",
		children: [/* @__PURE__ */ Q("span", { children: "plane of" }), /* @__PURE__ */ Q("select", {
			value: t ? "raw" : "pca",
			onChange: (t) => n(t.currentTarget.value === "pca" ? null : [e.order[0], e.order[1]]),
			children: [/* @__PURE__ */ Q("option", {
				value: "pca",
				children: "principal components"
			}), /* @__PURE__ */ Q("option", {
				value: "raw",
				children: "two dimensions"
			})]
		})]
	}), t && [0, 1].map((e) => /* @__PURE__ */ Q("label", {
		class: "labelled",
		children: [/* @__PURE__ */ Q("span", { children: e ? "up" : "across" }), /* @__PURE__ */ Q("select", {
			value: String(t[e]),
			onChange: r(e),
			children: i.map((e) => /* @__PURE__ */ Q("option", {
				value: e,
				children: ["z", e]
			}))
		})]
	}))] });
}
function Mt({ scene: e, hidden: t, onHidden: n, dark: r }) {
	let i = q(() => new Set(e.labels), [e]), a = (e) => {
		let r = new Set(t);
		r.delete(e) || r.add(e), n(r);
	};
	return /* @__PURE__ */ Q("div", {
		class: "legend",
		role: "group",
		"aria-label": "Classes that are shown",
		children: e.facts.classes.map((e, n) => i.has(n) && /* @__PURE__ */ Q("button", {
			type: "button",
			class: "chip",
			"aria-pressed": !t.has(n),
			onClick: () => a(n),
			children: [/* @__PURE__ */ Q("span", {
				class: "dot",
				style: { background: Be(n, r) }
			}), e]
		}))
	});
}
function Nt({ z: e, order: t }) {
	let n = t.slice(0, 6).sort((e, t) => e - t);
	return /* @__PURE__ */ Q("div", {
		class: "readout",
		children: [n.map((t) => /* @__PURE__ */ Q("span", { children: [
			/* @__PURE__ */ Q("span", {
				class: "muted",
				children: ["z", t]
			}),
			" ",
			e[t].toFixed(2).replace("-", "−")
		] }, t)), t.length > n.length && /* @__PURE__ */ Q("span", {
			class: "muted",
			children: [
				"and ",
				t.length - n.length,
				" more"
			]
		})]
	});
}
function Pt({ scene: e, index: t }) {
	let { facts: n, originals: r, labels: i } = e;
	if (t < 0) return /* @__PURE__ */ Q("p", {
		class: "muted small",
		children: [
			"Point at an encoding to see the ",
			n.kind,
			" that it stands for."
		]
	});
	let a = i && i[t] < n.classes.length ? n.classes[i[t]] : null;
	return /* @__PURE__ */ Q("figure", { children: [r[t] ? /* @__PURE__ */ Q(ut, {
		pixels: r[t],
		label: `Original ${t}`,
		size: 104
	}) : /* @__PURE__ */ Q("p", {
		class: "muted small",
		children: "Its original is not in this page."
	}), /* @__PURE__ */ Q("figcaption", { children: [
		"original #",
		t,
		a !== null && `, ${a}`
	] })] });
}
function Ft({ batches: e, seen: t, view: n, y: r, on: i }) {
	let [a, o] = W(n);
	G(() => {
		let e = setTimeout(() => o(n), 200);
		return () => clearTimeout(e);
	}, [n]);
	let s = q(() => {
		if (!i) return null;
		let { window: e, width: n, height: r } = a ?? {
			window: null,
			width: 0,
			height: 0
		};
		if (!e) {
			let e = Array.from(t.positions, Math.abs).sort((e, t) => e - t), n = (e[Math.floor(.99 * (e.length - 1))] || 3) * 1.2;
			return {
				left: -n,
				right: n,
				low: -n,
				high: n
			};
		}
		let [o, s] = Z(e, n, r, 0, 0), [c, l] = Z(e, n, r, n, r), u = Math.max(c - o, s - l) / 2, [d, f] = [(o + c) / 2, (l + s) / 2];
		return {
			left: d - u,
			right: d + u,
			low: f - u,
			high: f + u
		};
	}, [
		a,
		i,
		t
	]), { shown: c } = Et(e, q(() => {
		if (!s) return null;
		let e = (s.right - s.left) / $, n = [];
		for (let r = 0; r < $; r++) for (let i = 0; i < $; i++) n.push(...We(t.plane, s.left + (i + .5) * e, s.high - (r + .5) * e));
		return Float32Array.from(n);
	}, [s]), 256, r);
	return q(() => {
		if (!s || c.length !== 256) return null;
		let { width: e, height: t } = c[0], n = document.createElement("canvas");
		[n.width, n.height] = [$ * e, $ * t];
		let r = n.getContext("2d"), i = document.createElement("canvas");
		return c.forEach((n, a) => {
			ct(i, n), r.drawImage(i, a % $ * e, Math.floor(a / $) * t);
		}), {
			image: n,
			...s
		};
	}, [c, s]);
}
function It({ scene: e, batches: t, z: n, y: r }) {
	let { facts: i } = e, [a, o] = W(!1), [s, c] = W(!1), l = q(() => i.order.filter((e) => i.active[e]), [i]), u = l.length ? l : i.order, d = a ? u.slice(0, 64) : u.slice(0, wt), f = s ? n : e.mean, p = Math.max(...i.rates ?? [0], 1e-9);
	return /* @__PURE__ */ Q("section", {
		class: "panel",
		"aria-labelledby": "traversals",
		children: [
			/* @__PURE__ */ Q("header", { children: [/* @__PURE__ */ Q("h2", {
				id: "traversals",
				children: "One dimension at a time"
			}), /* @__PURE__ */ Q("div", {
				class: "aside",
				children: /* @__PURE__ */ Q("label", {
					class: "check",
					children: [/* @__PURE__ */ Q("input", {
						type: "checkbox",
						checked: s,
						onChange: (e) => c(e.currentTarget.checked)
					}), " start from the probe"]
				})
			})] }),
			/* @__PURE__ */ Q("div", {
				class: "dims",
				children: d.map((n) => /* @__PURE__ */ Q(Lt, {
					scene: e,
					batches: t,
					dim: n,
					start: f,
					y: r,
					share: i.rates ? i.rates[n] / p : null
				}, n))
			}),
			/* @__PURE__ */ Q("p", {
				class: "muted small words",
				children: [
					i.unit === "z" ? "From −3 to 3" : "Three standard deviations to each side",
					", the others ",
					s ? "as at the probe" : "at their mean",
					"; ordered by ",
					i.rates ? "rate" : "spread",
					".",
					l.length > 0 && l.length < i.order.length && ` Left out: ${i.order.length - l.length} of ${i.order.length} dimensions, which carry next to nothing.`
				]
			}),
			u.length > wt && /* @__PURE__ */ Q("button", {
				type: "button",
				class: "more",
				onClick: () => o(!a),
				children: a ? "Show fewer" : `Show all ${Math.min(64, u.length)}`
			})
		]
	});
}
function Lt({ scene: e, batches: t, dim: n, start: r, y: i, share: a }) {
	let { facts: o } = e, s = _t(), [c, l] = St(e, n), [u, d] = W(null), f = q(() => {
		let e = new Float32Array(Ct * o.dim);
		for (let t = 0; t < Ct; t++) e.set(r, t * o.dim), e[t * o.dim + n] = c + (l - c) * t / 8;
		return e;
	}, [r, n]), p = q(() => {
		let e = r.slice();
		return e[n] = u ?? r[n], e;
	}, [
		r,
		u,
		n
	]), { shown: m } = Et(t, f, Ct, i), { shown: h } = Et(t, p, 1, i), g = o.rates?.[n];
	return /* @__PURE__ */ Q("div", {
		class: "dim",
		children: [
			/* @__PURE__ */ Q("div", {
				class: "dim-name",
				children: [
					/* @__PURE__ */ Q("strong", { children: ["z", n] }),
					/* @__PURE__ */ Q("span", {
						class: "muted small",
						children: g === void 0 ? `sd ${e.spread[n].toFixed(2)}` : `${g.toFixed(2)} nats`
					}),
					a !== null && /* @__PURE__ */ Q("span", {
						class: "bar",
						"aria-hidden": "true",
						children: /* @__PURE__ */ Q("span", { style: { width: `${Math.round(100 * a)}%` } })
					})
				]
			}),
			/* @__PURE__ */ Q("div", {
				class: "dim-strip",
				children: [/* @__PURE__ */ Q(ft, {
					rows: [m],
					label: `Dimension ${n} from ${c.toFixed(1)} to ${l.toFixed(1)}`,
					class: "wide",
					dark: s
				}), /* @__PURE__ */ Q("input", {
					type: "range",
					min: c,
					max: l,
					step: (l - c) / 200,
					value: u ?? r[n],
					"aria-label": `z${n}`,
					onInput: (e) => d(Number(e.currentTarget.value))
				})]
			}),
			/* @__PURE__ */ Q("figure", {
				class: "dim-hand",
				children: [/* @__PURE__ */ Q(ut, {
					pixels: h[0],
					label: `Decoded with z${n} = ${(u ?? r[n]).toFixed(2)}`,
					size: 64
				}), /* @__PURE__ */ Q("figcaption", { children: (u ?? r[n]).toFixed(2).replace("-", "−") })]
			})
		]
	});
}
function Rt({ scene: e, batches: t, y: n }) {
	let { facts: r, samples: i } = e, a = _t(), o = i.z.length / r.dim, [s, c] = W(0), l = K(null), u = q(() => Array.from({ length: o }, (e, t) => t).filter((e) => !i.y || i.y[e] === n), [i, n]), d = q(() => Array.from({ length: Math.min(Tt, u.length) }, (e, t) => u[(s + t) % u.length]), [u, s]), { shown: f, error: p } = Et(t, q(() => {
		if (!d.length) return null;
		let e = new Float32Array(d.length * r.dim);
		return d.forEach((t, n) => e.set(i.z.subarray(t * r.dim, (t + 1) * r.dim), n * r.dim)), e;
	}, [d]), d.length, n);
	return G(() => {
		if (!l.current || !f.length) return;
		let e = l.current.clientWidth < 520 ? 8 : 16, t = [];
		for (let n = 0; n < f.length; n += e) t.push(f.slice(n, n + e));
		dt(l.current, t);
	}, [f, a]), /* @__PURE__ */ Q("section", {
		class: "panel",
		"aria-labelledby": "samples",
		children: [
			/* @__PURE__ */ Q("header", { children: [/* @__PURE__ */ Q("h2", {
				id: "samples",
				children: "Samples"
			}), u.length > Tt && /* @__PURE__ */ Q("button", {
				type: "button",
				onClick: () => c((s + Tt) % u.length),
				children: "Draw others"
			})] }),
			r.samples === null ? /* @__PURE__ */ Q(y, { children: [/* @__PURE__ */ Q("canvas", {
				ref: l,
				role: "img",
				"aria-label": `${d.length} samples`,
				class: "picture sheet wide",
				width: 1,
				height: 1
			}), /* @__PURE__ */ Q("p", {
				class: "muted small words",
				children: [
					"Draws from ",
					r.prior,
					", decoded."
				]
			})] }) : /* @__PURE__ */ Q("p", {
				class: "muted",
				children: r.samples
			}),
			p && /* @__PURE__ */ Q("p", {
				class: "trouble",
				role: "alert",
				children: p
			})
		]
	});
}
// src/page/explorer.css?inline
var zt = ".explorer{grid-template-columns:minmax(0,1fr) 264px;align-items:start;gap:20px 24px;display:grid}.explorer .plane-box{height:clamp(300px,58vh,560px)}.beside{flex-direction:column;gap:14px;min-width:0;display:flex}.probe-box figcaption{text-align:center}.legend{margin-top:12px}.words{max-width:84ch}.explorer .words{margin-top:10px}.readout{font-variant-numeric:tabular-nums;flex-wrap:wrap;justify-content:center;gap:2px 14px;font-size:.86rem;display:flex}.dims{grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:18px 36px;display:grid}.dim{grid-template-columns:74px minmax(0,1fr) 64px;align-items:center;gap:6px 14px;display:grid}.dim-name{flex-direction:column;display:flex}.dim-name strong{font-weight:620}.bar{background:var(--faint);border-radius:2px;height:4px;margin-top:4px}.bar span{background:var(--accent);border-radius:2px;height:100%;display:block}.dim-strip{flex-direction:column;min-width:0;display:flex}.dim-strip input{width:100%}.dim-hand{align-items:center}.dim-hand figcaption{font-variant-numeric:tabular-nums}.more{align-self:flex-start}@container parts (width<=760px){.explorer{grid-template-columns:minmax(0,1fr)}.beside{flex-flow:wrap;align-items:flex-start}.probe-box{flex:150px}.dim{grid-template-columns:60px minmax(0,1fr) 64px;gap:6px 10px}.panel{padding:14px}}.explorer-parts{container:parts/inline-size}";
// src/widget/main.tsx
function Bt(e, t) {
	for (let n = e; n && t; n = n.parentElement) {
		let e = n.querySelector(`.latentia-static[data-explorer="${CSS.escape(t)}"]`);
		if (e) {
			e.hidden = !0;
			return;
		}
	}
}
function Vt({ model: e, el: t }) {
	let n = e.get("scene"), r = vt(L(n.buffer.slice(n.byteOffset, n.byteOffset + n.byteLength))), i = /* @__PURE__ */ new Map(), a = 0, o = ({ seq: e, error: t }, n) => {
		let a = i.get(e);
		if (i.delete(e), t !== void 0 || !n[0]) return a?.failed(Error(t ?? "The kernel answered without a picture."));
		let { buffer: o, byteOffset: s, byteLength: c } = n[0], l = new Float32Array(o.slice(s, s + c));
		a?.done(xt(l, r.facts));
	};
	e.on("msg:custom", o);
	let s = { decode: (t, n, r) => new Promise((o, s) => {
		a += 1, i.set(a, {
			done: o,
			failed: s
		}), e.send({
			seq: a,
			n,
			y: r
		}, void 0, [t]);
	}) }, c = t.attachShadow({ mode: "open" }), l = document.createElement("style");
	l.textContent = `${oe}\n${zt}`.replaceAll(":root", ":host") + ":host { display: block; color: var(--ink); }", Bt(t, r.facts.static);
	let u = document.createElement("div");
	return c.append(l, u), F(/* @__PURE__ */ Q(Dt, {
		scene: r,
		batches: s
	}), u), () => {
		e.off("msg:custom", o), F(null, u);
	};
}
var Ht = { render: Vt };
export { Ht as default };
