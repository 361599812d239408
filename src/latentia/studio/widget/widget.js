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
	s && ((n = g({ constructor: u }, r)).__v = r.__v + 1, e.vnode && e.vnode(n), j(s, n, r, t.__n, s.namespaceURI, 32 & r.__u ? [i] : null, a, i || x(r), 32 & r.__u, o), n.__v = r.__v, n.__.__k[n.__i] = n, M(a, n, o), r.__ = r.__e = null, n.__e != i && C(n));
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
	for (c = E(n, t, y, c, b), p = 0; p < b; p++) (h = n.__k[p]) != null && (m = ~h.__i && y[h.__i] || d, h.__i = p, v = j(e, h, m, i, a, o, s, c, l, u), g = h.__e, (m.ref != h.ref || 8 & m.__u) && (m.ref && N(m.ref, null, h, m), h.ref && u.push(h.ref, h.__c || g, h)), _ ||= g, 4 & h.__u ? (c = D(h, c, e, !m.__v), m.__e && (m.__e = null)) : typeof h.type == "function" && v !== void 0 ? c = v : g && (c = g.nextSibling), h.__u &= -21);
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
	if (_) for (a = 0; a < g; a++) !(s = n[a]) || 2 & s.__u || (s.__e == r && (r = x(s)), ae(s, s));
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
	var p, h, v, S, C, w, T, E, D, O, k, A, te, j, M, N, P, F, I = n.type;
	if (n.constructor !== u) return null;
	128 & r.__u && (l = 32 & r.__u, p = r.__c.__z) && (n.__u |= l, h = o = [], p.nodeType == 8 ? c = ne(p, o) : o.push(p), c = o[0] || c), (p = e.__b) && p(n);
	n: if (typeof I == "function") {
		v = s.length;
		try {
			if (E = n.props, D = (p = I.prototype) && p.render, O = (p = I.contextType) && i[p.__c], k = p ? O ? O.props.value : p.__ : i, (S = r.__c) ? (n.__c = S, 2 & S.__g && (S.__g |= 1)) : (D ? n.__c = S = new I(E, k) : (n.__c = S = new b(E, k), S.constructor = I, S.render = oe), O && O.sub(S), S.state || (S.state = {}), S.__n = i, S.__g |= 8, S.__h = [], S.__k = []), D && (S.__s || (S.__s = S.state), I.getDerivedStateFromProps && (S.__s == S.state && (S.__s = g({}, S.__s)), g(S.__s, I.getDerivedStateFromProps(E, S.__s)))), C = S.props, w = S.state, S.__v = n, r.__c) {
				if (E !== C && D && !I.getDerivedStateFromProps && S.componentWillReceiveProps && S.componentWillReceiveProps(E, k), n.__v == r.__v && !(8 & S.__g) || !(4 & S.__g) && S.shouldComponentUpdate && !1 === S.shouldComponentUpdate(E, S.__s, k)) {
					n.__v != r.__v && (S.props = E, S.state = S.__s, S.__g &= -9), n.__e = r.__e, n.__k = r.__k, n.__k.some(function(e) {
						e && (e.__ = n);
					}), f.push.apply(S.__h, S.__k), S.__k = [], S.__h.length && s.push(S), c = x(r);
					break n;
				}
				S.componentWillUpdate && S.componentWillUpdate(E, S.__s, k), D && S.componentDidUpdate && S.__h.push(function() {
					S.componentDidUpdate(C, w, T);
				});
			} else D && !I.getDerivedStateFromProps && S.componentWillMount && S.componentWillMount(), D && S.componentDidMount && S.__h.push(S.componentDidMount);
			S.context = k, S.props = E, S.__P = t, S.__g &= -5, A = e.__r, te = D ? 25 : 0;
			do
				S.__g &= -9, A && A(n), p = S.render(S.props, S.state = S.__s, S.context);
			while (8 & S.__g && ++te < 25);
			D && (f.push.apply(S.__h, S.__k), S.__k = []), S.state = S.__s, S.getChildContext && (i = g({}, i, S.getChildContext())), D && r.__c && S.getSnapshotBeforeUpdate && (T = S.getSnapshotBeforeUpdate(C, w)), j = p && p.type === y && p.key == null ? p.props.children : p, E.__P && (p = c, a = (t = E.__P).namespaceURI, l = o = null, r.props && r.props.__P != t && (r.__k.some(function(e) {
				e && ae(e, e);
			}), r.__k = null), c = r.__k ? x(r, 0) : null), c = ee(t, m(j) ? j : [j], n, r, i, a, o, s, c, l, d), E.__P && (n.__e = null, c = p), n.__u &= -161, h && h.some(_), S.__h.length && s.push(S), 1 & S.__g && (S.__g &= -4);
		} catch (t) {
			if (s.length = v, n.__v = null, l || o) {
				if (t && t.then) {
					if (n.__u |= 128 | l, o) {
						for (~(P = o.indexOf(c || void 0)) || (P = o.length); (F = o[P - 1]) && F.nodeType == 8;) P--;
						for (; P < o.length; P++) if (F = o[P]) {
							if (o[P] = null, M) {
								if (F == N) break;
							} else {
								if (F.nodeType != 8) break;
								F.data.startsWith("$s") && (N = ne(M = F));
							}
						}
					}
					if (!M) {
						for (; c && c.nodeType == 8 && c.nextSibling;) c = c.nextSibling;
						M = c;
					}
					(p = ne(M = n.__c.__z || (n.__c.__z = M))) ? (n.__e = M, c = p) : n.__e = c, c &&= c.nextSibling;
				} else o && o.some(_);
			} else n.__e = r.__e;
			n.__k ||= r.__k || [], t && t.then || re(n), e.__e(t, n, r);
		}
	} else c = n.__e = ie(r.__e, n, r, i, a, o, s, l, d, t);
	return (p = e.diffed) && p(n), c;
}
function ne(e, t) {
	if (e && e.nodeType == 8 && e.data.startsWith("$s")) for (var n = 1; e = e.nextSibling;) {
		if (e.nodeType == 8) {
			if (e.data.startsWith("$s")) n++;
			else if (e.data.startsWith("/$s") && !--n) return e;
		}
		t && t.push(e);
	}
}
function re(e) {
	e && (e.__c && (e.__c.__g |= 4), e.__k && e.__k.some(re));
}
function M(t, n, r) {
	for (var i = 0; i < r.length;) N(r[i++], r[i++], r[i++]);
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
function ie(t, n, r, i, a, o, s, c, l, u) {
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
function N(t, n, r, i) {
	try {
		typeof t == "function" ? n ? n.__x = t(n) || 1 : (i &&= i.__c || i.__e) && (n = i.__x) && (i.__x = null, typeof n == "function" ? n() : t(null)) : t.current = n;
	} catch (t) {
		e.__e(t, r);
	}
}
function ae(t, n, r) {
	var i, a, o, s;
	if (e.unmount && e.unmount(t), !(i = t.ref) || i.current && i.current != t.__e || N(i, null, n, t), i = t.__c) {
		if (i.componentWillUnmount) try {
			i.componentWillUnmount();
		} catch (t) {
			e.__e(t, n);
		}
		i.__P = i.__n = null;
	}
	if (i = t.__k) for (s = 0; s < i.length; s++) i[s] && ae(i[s], n, typeof t.type != "function" || r && !t.props.__P);
	!r && (i = t.__c) && (i = i.__z) && (a = ne(i, o = [])) && (i == t.__e && o.some(_), _(a), _(i)), r || _(t.__e), t.__e = t.__c = t.__ = null;
}
function oe(e, t, n) {
	return this.constructor(e, n);
}
function P(t, n) {
	var r, i, a, o;
	e.__ && e.__(t, n), n.nodeType == 9 && (n = n.documentElement), i = (r = t && 32 & t.__u) ? null : n.__k, n.__k = v(y, { children: [t] }), a = [], o = [], j(n, n.__k, i || d, d, n.namespaceURI, i ? null : n.firstChild ? h.call(n.childNodes) : null, a, i ? i.__e : n.firstChild, r, o), M(a, n.__k, o), n.__k.props.children = null;
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
var F = {
	f4: Float32Array,
	u1: Uint8Array,
	i4: Int32Array,
	u2: Uint16Array
};
function I(e) {
	if (e.byteLength < 4) throw Error("The answer is shorter than its header.");
	let t = new DataView(e).getUint32(0, !0);
	if (4 + t > e.byteLength) throw Error("The answer ends within its header.");
	let n = JSON.parse(new TextDecoder().decode(new Uint8Array(e, 4, t))), r = Math.ceil((4 + t) / 8) * 8, { arrays: i, ...a } = n, o = {};
	for (let { name: t, dtype: n, shape: a, offset: s } of i) {
		let i = F[n];
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
function L(e, t) {
	let n = e.arrays[t];
	return n ? n.data instanceof Float32Array ? n.data : Float32Array.from(n.data) : /* @__PURE__ */ new Float32Array();
}
// src/parts/base.css?inline
var se = ":root{--lightningcss-light:initial;--lightningcss-dark: ;color-scheme:light dark;--page:var(--lightningcss-light,#f7f6f3)var(--lightningcss-dark,#101216);--ground:var(--lightningcss-light,#fff)var(--lightningcss-dark,#17191e);--raised:var(--lightningcss-light,#f1f0ec)var(--lightningcss-dark,#20242b);--ink:var(--lightningcss-light,#1c2024)var(--lightningcss-dark,#eceef1);--muted:var(--lightningcss-light,#5f6670)var(--lightningcss-dark,#9ba3af);--faint:var(--lightningcss-light,#e3e1db)var(--lightningcss-dark,#2b3039);--edge:var(--lightningcss-light,#8b8f96)var(--lightningcss-dark,#6b7380);--accent:var(--lightningcss-light,#3a4fd0)var(--lightningcss-dark,#9db0ff);--on-accent:var(--lightningcss-light,#fff)var(--lightningcss-dark,#12152a);--wash:var(--lightningcss-light,#3a4fd014)var(--lightningcss-dark,#9db0ff1f);--bad:var(--lightningcss-light,#a8231c)var(--lightningcss-dark,#ff9a8f);--good:var(--lightningcss-light,#1d6b41)var(--lightningcss-dark,#7fd6a4);--warn:var(--lightningcss-light,#8a5300)var(--lightningcss-dark,#f0c36d);--radius:12px;--small:8px;font-feature-settings:\"tnum\";font:15px/1.5 system-ui,-apple-system,Segoe UI,Roboto,Noto Sans,sans-serif}@media (prefers-color-scheme:dark){:root{--lightningcss-light: ;--lightningcss-dark:initial}}:root[data-theme=light]{--lightningcss-light:initial;--lightningcss-dark: ;color-scheme:light}:root[data-theme=dark]{--lightningcss-light: ;--lightningcss-dark:initial;color-scheme:dark}*,:before,:after{box-sizing:border-box}body{background:var(--page);color:var(--ink);margin:0}h1,h2,h3,p,figure,dl,dd,ul,pre{margin:0}h1{letter-spacing:-.02em;overflow-wrap:anywhere;font-size:1.6rem;font-weight:650;line-height:1.2}h2{letter-spacing:-.005em;font-size:1rem;font-weight:620}h3{color:var(--muted);font-size:.82rem;font-weight:600}a{color:var(--accent);text-underline-offset:3px;text-decoration-thickness:1px}.muted{color:var(--muted)}.small{font-size:.84rem}.unseen{clip-path:inset(50%);white-space:nowrap;width:1px;height:1px;position:absolute;overflow:hidden}:focus-visible{outline:2.5px solid var(--accent);outline-offset:2px;border-radius:6px}button,.button,input,select,textarea{font:inherit;color:inherit}button,.button{border:1px solid var(--edge);border-radius:var(--small);background:var(--ground);min-height:34px;color:var(--ink);cursor:pointer;white-space:nowrap;justify-content:center;align-items:center;gap:.4em;padding:4px 13px;text-decoration:none;display:inline-flex}button:hover:not(:disabled),.button:hover{border-color:var(--accent);color:var(--accent)}button:disabled{opacity:.5;cursor:default}.primary{background:var(--accent);border-color:var(--accent);color:var(--on-accent);font-weight:560}.primary:hover:not(:disabled){color:var(--on-accent);filter:brightness(1.08)}.quiet{color:var(--muted);background:0 0;border-color:#0000;padding:4px 8px}.quiet:hover:not(:disabled){background:var(--raised);border-color:#0000}input:not([type]),input[type=text],input[type=search],input[type=number],select,textarea{border:1px solid var(--edge);border-radius:var(--small);background:var(--ground);min-width:0;max-width:100%;min-height:34px;padding:4px 10px}input::placeholder,textarea::placeholder{color:var(--muted);opacity:1}input[type=color]{border:1px solid var(--edge);border-radius:var(--small);background:var(--ground);width:40px;height:34px;padding:2px}input[type=checkbox],input[type=range]{accent-color:var(--accent)}input[type=checkbox]{width:16px;height:16px;margin:0}input[type=range]{height:24px;margin:0}.labelled{align-items:center;gap:8px;min-width:0;display:inline-flex}.labelled>span{color:var(--muted);white-space:nowrap;font-size:.87rem}.check{cursor:pointer;align-items:center;gap:8px;font-size:.9rem;display:inline-flex}.slider{align-items:center;gap:10px;min-width:0;font-size:.87rem;display:flex}.slider>span{color:var(--muted)}.slider>input{flex:1;min-width:70px}.slider>output{text-align:right;font-variant-numeric:tabular-nums;min-width:4.2em}.choice{border:1px solid var(--edge);border-radius:var(--small);background:var(--ground);display:inline-flex}.choice>button{background:0 0;border:0;border-radius:0;min-height:32px}.choice>button:first-child{border-radius:7px 0 0 7px}.choice>button:last-child{border-radius:0 7px 7px 0}.choice>button[aria-pressed=true]{background:var(--accent);color:var(--on-accent)}.toolbar{flex-wrap:wrap;align-items:center;gap:10px 16px;display:flex}.chips,.legend{flex-wrap:wrap;align-items:center;gap:6px;display:flex}.chip{border:1px solid var(--faint);background:var(--ground);border-radius:99px;align-items:center;gap:7px;min-height:28px;padding:1px 11px;font-size:.85rem;display:inline-flex}.chip[aria-pressed=true]{border-color:var(--edge);background:var(--raised)}.legend .chip[aria-pressed=false]{color:var(--muted);text-decoration:line-through}.legend .chip[aria-pressed=false] .dot{opacity:.25}.chip .quiet{min-height:22px;padding:0 4px}.dot{border-radius:50%;width:10px;height:10px}.panel{border:1px solid var(--faint);border-radius:var(--radius);background:var(--ground);flex-direction:column;gap:14px;min-width:0;padding:18px 20px;display:flex}.panel>header{flex-wrap:wrap;justify-content:space-between;align-items:center;gap:8px 16px;display:flex}.panel>header .aside{flex-wrap:wrap;align-items:center;gap:8px 14px;min-width:0;display:flex}.stack{flex-direction:column;gap:18px;min-width:0;display:flex}.stack.waits{opacity:.5}.facts{flex-wrap:wrap;gap:8px 26px;display:flex}.facts dt{color:var(--muted);font-size:.8rem}.facts dd{font-variant-numeric:tabular-nums}.trouble{border-left:3px solid var(--bad);background:color-mix(in srgb, var(--bad) 8%, transparent);color:var(--bad);overflow-wrap:anywhere;border-radius:4px;padding:10px 14px}.picture{image-rendering:pixelated;color:var(--accent);border-radius:3px;display:block}figure{flex-direction:column;gap:5px;min-width:0;display:flex}figcaption{color:var(--muted);font-size:.8rem}.sheet{max-width:100%;height:auto}.sheet.wide{width:100%}.picture.probe{aspect-ratio:auto;border:1px solid var(--faint);width:100%;max-width:248px;height:auto;margin-inline:auto}.picture-button{background:0 0;border:2px solid #0000;border-radius:6px;flex-direction:column;gap:3px;min-height:0;padding:3px}.plane{border-radius:var(--small);background:var(--ground);touch-action:none;-webkit-user-select:none;user-select:none;cursor:crosshair;width:100%;height:100%;position:relative;overflow:hidden}.plane.tool-pan{cursor:grab}.plane.tool-pan.dragging{cursor:grabbing}.plane canvas{width:100%;height:100%;position:absolute;inset:0}.plane .mark{pointer-events:none;will-change:transform;display:none;position:absolute;top:-17px;left:-17px}.plane .mark.on-picture{--lightningcss-light: ;--lightningcss-dark:initial;color-scheme:dark}.mark path{fill:none}.mark .edge{stroke:var(--ground);stroke-width:5px}.mark .line{stroke:var(--accent);stroke-width:2px}.plane-box{border:1px solid var(--faint);border-radius:var(--small);height:clamp(320px,62vh,640px);position:relative}.plane-box .axis{background:color-mix(in srgb, var(--ground) 82%, transparent);color:var(--muted);pointer-events:none;border-radius:6px;padding:1px 7px;font-size:.78rem;position:absolute}.axis.across{bottom:24px;right:8px}.axis.up{top:8px;left:34px}@media (prefers-reduced-motion:reduce){*,:before,:after{scroll-behavior:auto!important;transition:none!important;animation:none!important}}", R, z, ce, le, ue = Object.is, B = 0, de = [], fe = [], V = e, pe = V.__b, me = V.__r, he = V.diffed, ge = V.__c, _e = V.unmount, ve = V.__;
function ye(e, t) {
	V.__h && V.__h(z, e, B || t), B = 0;
	var n = z.__H || (z.__H = {
		__: [],
		__h: []
	});
	return e >= n.__.length && n.__.push({}), n.__[e];
}
function H(e) {
	return B = 1, be(De, e);
}
function be(e, t, n) {
	var r = ye(R++, 2);
	if (r.t = e, !r.__c && (r.__ = [n ? n(t) : De(void 0, t), function(e) {
		var t = (r.__N || r.__)[0], n = r.t(t, e);
		ue(t, n) || (r.__N = [n, r.__[1]], r.__c.setState({}));
	}], r.__c = z, !z.__f)) {
		z.__f = !0;
		var i = z.shouldComponentUpdate;
		z.shouldComponentUpdate = function(e, t, n) {
			var r = this.__H;
			if (!r) return !0;
			var a = !1, o = this.props != e;
			if (r.__.some(function(e) {
				e.__N && (a = !0, ue(e.__[0], e.__N[0]) || (o = !0));
			}), i) {
				var s = i.call(this, e, t, n);
				return a ? s || o : s;
			}
			return !a || o;
		};
	}
	return r.__;
}
function U(e, t) {
	var n = ye(R++, 3);
	!V.__s && Ee(n.__H, t) && (n.__P = !0, n.__ = e, n.u = t, z.__H.__h.push(n));
}
function W(e, t) {
	var n = ye(R++, 4);
	!V.__s && Ee(n.__H, t) && (n.__P = !1, n.__ = e, n.u = t, z.__h.push(n));
}
function G(e) {
	return B = 5, K(function() {
		return { current: e };
	}, []);
}
function K(e, t) {
	var n = ye(R++, 7);
	return Ee(n.__H, t) && (n.__ = e(), n.__H = t), n.__;
}
function xe() {
	var e;
	do {
		for (; e = fe.shift();) try {
			q(e);
		} catch (t) {
			V.__e(t, { __: (e = e.__P) && e.__v });
		}
		for (; e = de.shift();) {
			var t = e.__H;
			if (e.__P && t) try {
				t.__h.some(q), t.__h.some(Te), t.__h = [];
			} catch (n) {
				t.__h = [], V.__e(n, e.__v);
			}
		}
	} while (fe.length);
}
V.__b = function(e) {
	z = null, pe && pe(e);
}, V.__ = function(e, t) {
	e && t.__k && t.__k.__m && (e.__m = t.__k.__m), ve && ve(e, t);
}, V.__r = function(e) {
	me && me(e), R = 0;
	var t = (z = e.__c).__H;
	t && (ce == z ? z.__h = [] : (t.__h.some(q), t.__h.some(Te), R = 0), t.__h = [], t.__.some(function(e) {
		e.__N && (e.__ = e.__N), e.u = e.__N = void 0;
	})), ce = z;
}, V.diffed = function(e) {
	he && he(e);
	var t = e.__c;
	t && t.__H && (t.__H.__h.length && we(de.push(t)), t.__H.__.some(function(e) {
		e.u && (e.__H = e.u);
	})), ce = z = null;
}, V.__c = function(e, t) {
	t.some(function(e) {
		try {
			e.__h.some(q), e.__h = e.__h.filter(function(e) {
				return !e.__ || Te(e);
			});
		} catch (t) {
			e.__h = [function() {
				throw t;
			}];
		}
	}), ge && ge(e, t);
}, V.unmount = function(e) {
	_e && _e(e);
	var t, n, r = e.__c;
	r && r.__H && (r.__H.__.some(function(r) {
		try {
			if (r.__P && r.__c) {
				if (n === void 0) {
					for (n = e.__; n && (!n.__c || !n.__c.__P);) n = n.__;
					n &&= n.__c;
				}
				r.__P = n, we(fe.push(r));
			} else q(r);
		} catch (e) {
			t = e;
		}
	}), r.__H = void 0, t && V.__e(t, r.__v));
};
var Se = typeof requestAnimationFrame == "function";
function Ce(e) {
	var t, n = function() {
		clearTimeout(r), Se && cancelAnimationFrame(t), setTimeout(e);
	}, r = setTimeout(n, 35);
	Se && (t = requestAnimationFrame(n));
}
function we(e) {
	e != 1 && le == V.requestAnimationFrame || ((le = V.requestAnimationFrame) || Ce)(xe);
}
function q(e) {
	var t = z, n = e.__c;
	typeof n == "function" && (e.__c = void 0, n()), z = t;
}
function Te(e) {
	var t = z;
	e.__c = e.__(), z = t;
}
function Ee(e, t) {
	return !e || e.length != t.length || t.some(function(t, n) {
		return !ue(t, e[n]);
	});
}
function De(e, t) {
	return typeof t == "function" ? t(e) : t;
}
// src/core/decoder.ts
var Oe = class {
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
function ke(e, t = 1) {
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
var Ae = (e) => e > 5e4 ? 1 : e > 12e3 ? 1.4 : e > 3e3 ? 2 : e > 600 ? 2.6 : 3.4;
function je(e) {
	let t = Number.parseInt(e.slice(1), 16);
	return 4278190080 | (t & 255) << 16 | t & 65280 | t >> 16;
}
function Me(e, t, n, r, i, a, o, s) {
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
function Ne(e, t = 1) {
	let n = Uint32Array.from({ length: e }, (e, t) => t), r = t >>> 0;
	for (let t = e - 1; t > 0; t--) {
		r = Math.imul(r, 1664525) + 1013904223 >>> 0;
		let e = Math.floor(r / 4294967296 * (t + 1));
		[n[t], n[e]] = [n[e], n[t]];
	}
	return n;
}
function Pe(e, t) {
	let n = Ne(t.length), r = new Float32Array(e.length);
	return n.forEach((t, n) => {
		r[2 * n] = e[2 * t], r[2 * n + 1] = e[2 * t + 1];
	}), {
		positions: r,
		classes: t.map((e, r) => t[n[r]])
	};
}
var Fe = class {
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
}, Ie = [
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
], Le = [
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
], Re = {
	ground: "#ffffff",
	ink: "#1c2024",
	muted: "#5f6670",
	faint: "#d9d8d2",
	accent: "#3a4fd0",
	wash: "#3a4fd01f"
}, ze = {
	ground: "#17191e",
	ink: "#eceef1",
	muted: "#9ba3af",
	faint: "#343a44",
	accent: "#9db0ff",
	wash: "#9db0ff2b"
}, J = (e) => e ? ze : Re, Be = (e) => e ? Le : Ie, Ve = (e, t) => Be(t)[e % 10], He = 65535;
function Ue(e, t) {
	return e?.data.some((e) => e !== t) ? Uint16Array.from(e.data, (e) => e === t ? He : e) : null;
}
function We(e, t, n = !0) {
	let r = /* @__PURE__ */ new Int32Array(65536);
	if (!n) return r.fill(je(J(e).accent));
	let i = Be(e).map(je);
	for (let e = 0; e < He; e++) r[e] = i[e % i.length];
	return r[He] = je(J(e).muted), t?.forEach((e) => r[e] = 0), r;
}
// src/core/plane.ts
function Ge(e, t, n, r) {
	let { origin: i, basis: a } = e;
	if (!a) throw Error("There is no way back from this plane to the latent space.");
	let [o, s] = r ? Ke(e, r) : [0, 0], c = r ?? i;
	return Float32Array.from(i, (e, r) => c[r] + (t - o) * a[0][r] + (n - s) * a[1][r]);
}
function Ke(e, t) {
	let { origin: n, basis: r } = e;
	if (!r) throw Error("There is no way from the latent space onto this plane.");
	let i = 0, a = 0;
	for (let e = 0; e < n.length; e++) i += (t[e] - n[e]) * r[0][e], a += (t[e] - n[e]) * r[1][e];
	return [i, a];
}
var Y = (e, t, n, r, i) => [t / 2 + (r - e.u) * e.scale, n / 2 - (i - e.v) * e.scale], X = (e, t, n, r, i) => [e.u + (r - t / 2) / e.scale, e.v - (i - n / 2) / e.scale];
function Z(e, t, n, r = .9) {
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
	let [o, s] = X(e, t, n, r, i), c = Math.max(.001, Math.min(1e6, e.scale * a));
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
var Ze = 8, Qe = 8e4, $e = class {
	points;
	marks;
	mark;
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
	stale = {
		points: !0,
		marks: !0
	};
	moving = 0;
	soon = 0;
	home = {
		of: [],
		scale: 1
	};
	constructor(e, t, n) {
		this.points = e, this.marks = t, this.mark = n;
	}
	ask(e = !0) {
		this.stale.points ||= e, this.stale.marks = !0, this.follow();
	}
	followSoon() {
		this.soon ||= setTimeout(() => {
			this.soon = 0, this.follow();
		}, Ze);
	}
	follow() {
		this.asked ||= requestAnimationFrame(() => this.draw());
	}
	move() {
		clearTimeout(this.moving), this.moving = setTimeout(() => {
			this.moving = 0, this.props.positions.length > Qe && this.ask();
		}, 140), this.ask();
	}
	stop() {
		clearTimeout(this.moving), clearTimeout(this.soon), cancelAnimationFrame(this.asked);
	}
	shown = (e) => !this.props.hidden?.size || !this.props.labels || !this.props.hidden.has(this.props.labels[e]);
	draw() {
		if (this.asked = 0, !this.width || !this.height || !this.window) return;
		let e = devicePixelRatio || 1;
		this.stale.points && this.drawPoints(e), this.stale.marks && this.drawMarks(e), this.stale = {
			points: !1,
			marks: !1
		}, this.placeProbe();
	}
	placeProbe() {
		let e = this.probe && this.props.walkable;
		if (this.mark.style.display = e ? "block" : "none", !e) return;
		let [t, n] = Y(this.window, this.width, this.height, ...this.probe);
		this.mark.style.transform = `translate(${t}px, ${n}px)`;
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
			d.fillStyle = J(a).ground, d.fillRect(0, 0, c, l);
			let [e, t] = Y(f, c, l, r.left, r.high), [n, i] = Y(f, c, l, r.right, r.low);
			d.imageSmoothingEnabled = !1, d.drawImage(r.image, e, t, n - e, i - t), p.set(new Int32Array(d.getImageData(0, 0, c, l).data.buffer));
		} else p.fill(0);
		let m = o.length / 2;
		if (i > 0) {
			let r = this.window.scale / this.homeScale(o), u = Math.min(5, Ae(m) * Math.max(1, Math.min(1.8, Math.sqrt(r)))) * e, d = this.moving && 2 * m > Qe ? Math.min(u, .5 * e) : u, h = We(a, n, !!t), g = i * (m > 12e3 ? .75 : .9), _ = this.cohort();
			Me(p, c, l, o, f, h, s, ke(d, _ ? .13 * g : g)), _ && Me(p, c, l, _.positions, f, h, _.classes, ke(d, g));
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
			scale: Z(e.subarray(0, 2e3), this.width, this.height).scale || 1
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
		let { positions: t, chosen: n = -1 } = this.props, r = this.props.dark || !!this.props.backdrop, i = this.marks, [a, o] = [Math.round(this.width * e), Math.round(this.height * e)];
		(i.width !== a || i.height !== o) && ([i.width, i.height] = [a, o]);
		let s = i.getContext("2d"), c = J(r);
		s.setTransform(e, 0, 0, e, 0, 0), s.clearRect(0, 0, this.width, this.height);
		let l = (e, t) => Y(this.window, this.width, this.height, e, t);
		this.drawAxes(s, c.faint, c.muted);
		let u = (e, n, r, i) => {
			let [a, o] = l(t[2 * e], t[2 * e + 1]);
			s.beginPath(), s.arc(a, o, n, 0, 7), s.lineWidth = i, s.strokeStyle = r, s.stroke();
		};
		for (let [e, r] of [[this.hover, 7], [n, 9]]) e >= 0 && 2 * e < t.length && (u(e, r, c.ground, 5), u(e, r, c.ink, 2));
		this.trail.length > 1 && (s.beginPath(), this.trail.forEach(([e, t], n) => s[n ? "lineTo" : "moveTo"](...l(e, t))), s.closePath(), s.fillStyle = c.wash, s.fill(), s.lineWidth = 2, s.strokeStyle = c.accent, s.stroke());
	}
	drawAxes(e, t, n) {
		let { scale: r } = this.window, i = 10 ** Math.ceil(Math.log10(60 / r)), a = i / 5 * r >= 60 ? i / 5 : i / 2 * r >= 60 ? i / 2 : i, [o, s] = X(this.window, this.width, this.height, 0, 0), [c, l] = X(this.window, this.width, this.height, this.width, this.height);
		e.font = "11px system-ui, sans-serif";
		let u = (e) => String(Number(e.toPrecision(6))), d = (t, r, i) => {
			e.lineWidth = 3, e.strokeStyle = J(this.props.dark || !!this.props.backdrop).ground, e.strokeText(t, r, i), e.fillStyle = n, e.fillText(t, r, i);
		};
		e.lineWidth = 1;
		for (let n = Math.ceil(o / a); n * a <= c; n++) {
			let [r] = Y(this.window, this.width, this.height, n * a, 0);
			e.fillStyle = t, e.fillRect(Math.round(r), this.height - 5, 1, 5), r > 30 && r < this.width - 12 && d(u(n * a), r - 6, this.height - 9);
		}
		for (let n = Math.ceil(l / a); n * a <= s; n++) {
			let [, r] = Y(this.window, this.width, this.height, 0, n * a);
			e.fillStyle = t, e.fillRect(0, Math.round(r), 5, 1), r > 12 && r < this.height - 24 && d(u(n * a), 9, r + 4);
		}
	}
}, et = Symbol.for("pv"), tt = 0;
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
		constructor: et,
		__v: --tt,
		__i: -1,
		__u: 0
	};
	return (a || o) && (u.__source = a, u.__self = o), e.vnode && e.vnode(u), u;
}
// src/parts/LatentPlane.tsx
var nt = 12;
function rt(e) {
	let t = G(null), n = G(null), r = G(null), i = G(null), a = G(null), o = G(null), s = G(/* @__PURE__ */ new Map()), [c, l] = H(!1), u = K(() => new Fe(e.positions), [e.positions]), d = K(() => e.labels ? Pe(e.positions, e.labels) : {
		positions: e.positions,
		classes: null
	}, [e.positions, e.labels]), f = (e = !0) => {
		let t = a.current;
		t.window && t.props.onWindow?.(t.window, t.width, t.height, e);
	};
	W(() => {
		let e = a.current = new $e(n.current, r.current, i.current), s = new ResizeObserver(() => {
			let { clientWidth: n, clientHeight: r } = t.current, i = e.width ? Math.min(n / e.width, r / e.height) : 1;
			[e.width, e.height] = [n, r], e.window && i > 0 && Number.isFinite(i) ? e.window = {
				...e.window,
				scale: e.window.scale * i
			} : e.props && n && (e.window = e.props.window ?? Z(e.props.positions, n, r)), e.props && e.ask(), e.props && e.window && f(!1);
		});
		s.observe(t.current);
		let c = (t) => {
			e.window && (t.preventDefault(), e.window = qe(e.window, e.width, e.height, t.offsetX, t.offsetY, Math.exp(-t.deltaY * (t.deltaMode ? .05 : .0016))), e.move(), f());
		};
		t.current.addEventListener("wheel", c, { passive: !1 });
		let l = t.current, u = (t) => {
			let n = o.current;
			n?.kind === "walk" && e.props.early && (n.early = !0, S(t, n));
		};
		return l.addEventListener("pointerrawupdate", u), () => {
			s.disconnect(), l.removeEventListener("wheel", c), l.removeEventListener("pointerrawupdate", u), e.stop();
		};
	}, []);
	let p = G(null), m = G(void 0), h = G([]);
	W(() => {
		let t = a.current;
		t.props = e, t.grid = u, t.drawn = d, e.probe !== m.current && !o.current && e.probe !== void 0 && (t.probe = e.probe), m.current = e.probe;
		let n = t.window;
		t.width && (!t.window || p.current && p.current !== e.positions && !e.window) && (t.window = e.window ?? Z(e.positions, t.width, t.height)), p.current = e.positions, t.window !== n && f(!1);
		let r = [
			e.positions,
			e.labels,
			e.dark,
			e.hidden,
			e.marked,
			e.backdrop,
			e.opacity,
			e.chosen
		], i = r.map((e, t) => e !== h.current[t]);
		t.window !== n || i.some(Boolean) ? t.ask(t.window !== n || i.slice(0, -1).some(Boolean)) : t.follow(), h.current = r;
	});
	let g = (e) => {
		let n = t.current.getBoundingClientRect();
		return [e.clientX - n.left, e.clientY - n.top];
	}, _ = (e, t) => {
		let n = a.current;
		if (!n.window) return -1;
		let [r, i] = X(n.window, n.width, n.height, e, t);
		return n.grid.nearest(r, i, nt / n.window.scale, n.shown);
	}, v = (e) => {
		let t = a.current;
		t.hover !== e && (t.hover = e, t.ask(!1), t.props.onHover?.(e));
	}, y = (e, t, n) => {
		let r = a.current;
		r.probe = [e, t], r.props.onProbe?.(e, t, n), r.followSoon();
	}, b = (n) => {
		let r = a.current, i = g(n);
		if (s.current.set(n.pointerId, i), n.button > 1 || !r.window) return;
		t.current.setPointerCapture(n.pointerId);
		let c = n.button === 1 || n.shiftKey || s.current.size > 1 || e.tool === "walk" && !e.walkable ? "pan" : e.tool, u = _(...i);
		if (o.current = {
			kind: c,
			anchor: u,
			last: i,
			moved: !1,
			edge: t.current.getBoundingClientRect(),
			early: !1
		}, l(!0), c === "lasso" && (r.trail = [X(r.window, r.width, r.height, ...i)]), c === "walk") {
			let [e, t] = u >= 0 ? [r.props.positions[2 * u], r.props.positions[2 * u + 1]] : X(r.window, r.width, r.height, ...i);
			y(e, t, u);
		}
	}, x = (e, t) => {
		let n = a.current, r = s.current;
		if (r.size < 2 || !r.has(e.pointerId) || !n.window) return !1;
		let i = [...r].find(([t]) => t !== e.pointerId)[1], o = r.get(e.pointerId), [c, l] = [Math.hypot(o[0] - i[0], o[1] - i[1]), Math.hypot(t[0] - i[0], t[1] - i[1])];
		return n.window = qe(n.window, n.width, n.height, (t[0] + i[0]) / 2, (t[1] + i[1]) / 2, l / Math.max(c, 1)), n.window = Je(n.window, (t[0] - o[0]) / 2, (t[1] - o[1]) / 2), r.set(e.pointerId, t), n.move(), f(), !0;
	}, S = (e, t) => {
		let n = a.current;
		if (!n.window) return;
		let [r, i] = [e.clientX - t.edge.left, e.clientY - t.edge.top];
		Math.hypot(r - t.last[0], i - t.last[1]) > 2 && (t.moved = !0), y(...X(n.window, n.width, n.height, r, i), t.anchor);
	}, C = (e) => {
		let t = a.current, n = o.current;
		if (n?.early && s.current.size < 2) return;
		let r = g(e);
		if (x(e, r)) return;
		if (!n || !t.window) return v(_(...r));
		if (n.kind === "walk") return S(e, n);
		let [i, c] = [r[0] - n.last[0], r[1] - n.last[1]];
		if (Math.hypot(i, c) > 2 && (n.moved = !0), n.last = r, n.kind === "pan") return t.window = Je(t.window, i, c), t.move(), f();
		t.trail.push(X(t.window, t.width, t.height, ...r)), t.ask(!1);
	}, w = (e) => {
		let t = a.current;
		s.current.delete(e.pointerId);
		let n = o.current;
		if (o.current = null, l(!1), n) {
			if (n.kind === "lasso") {
				let e = t.trail;
				t.trail = [], t.ask(!1), e.length > 2 && t.props.onLasso?.(Xe(t.props.positions, e, t.shown));
			} else !n.moved && n.anchor >= 0 && t.props.onPick?.(n.anchor);
		}
	};
	return U(() => v(-1), [e.positions]), /* @__PURE__ */ Q("div", {
		ref: t,
		class: `plane tool-${e.tool}${c ? " dragging" : ""}`,
		tabIndex: 0,
		role: "application",
		"aria-roledescription": "map of points",
		"aria-label": `${e.label}. Arrow keys move, plus and minus zoom, 0 shows all, Enter chooses the nearest point.`,
		onPointerDown: b,
		onPointerMove: C,
		onPointerUp: w,
		onPointerCancel: w,
		onPointerLeave: () => !o.current && v(-1),
		onKeyDown: (t) => {
			let n = a.current;
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
					y(e + r[0] * i, t + r[1] * i, -2);
				} else n.window = {
					...n.window,
					u: n.window.u + 3 * r[0] * i,
					v: n.window.v + 3 * r[1] * i
				}, n.ask(), f();
			} else if (t.key === "+" || t.key === "=" || t.key === "-") {
				let [r, i] = n.probe && e.walkable ? Y(n.window, n.width, n.height, ...n.probe) : [n.width / 2, n.height / 2];
				n.window = qe(n.window, n.width, n.height, r, i, t.key === "-" ? .8 : 1.25), n.ask(), f();
			} else if (t.key === "0") n.window = Z(n.props.positions, n.width, n.height), n.ask(), f();
			else if ("[]{}".includes(t.key)) n.props.onDimension?.("]}".includes(t.key) ? 1 : -1, +!!"{}".includes(t.key));
			else if (t.key === "Enter") {
				let [e, t] = n.probe ?? [n.window.u, n.window.v], r = n.grid.nearest(e, t, 200 / n.window.scale, n.shown);
				r >= 0 && n.props.onPick?.(r);
			} else if (t.key === "Escape") v(-1);
			else return;
			t.preventDefault();
		},
		children: [
			/* @__PURE__ */ Q("canvas", {
				ref: n,
				"aria-hidden": "true"
			}),
			/* @__PURE__ */ Q("canvas", {
				ref: r,
				"aria-hidden": "true"
			}),
			/* @__PURE__ */ Q("svg", {
				ref: i,
				class: e.backdrop ? "mark on-picture" : "mark",
				width: "34",
				height: "34",
				viewBox: "-17 -17 34 34",
				"aria-hidden": "true",
				children: ["edge", "line"].map((e) => /* @__PURE__ */ Q("path", {
					class: e,
					d: "M8 0A8 8 0 1 1-8 0A8 8 0 1 1 8 0M8 0H16M-8 0H-16M0 8V16M0-8V-16"
				}, e))
			})
		]
	});
}
// src/core/pixels.ts
var it = (e) => e.data instanceof Float32Array;
function at(e, t) {
	let { height: n, width: r, channels: i, data: a } = e, o = n * r, s = t && t.length === 4 * o ? t : new Uint8ClampedArray(4 * o), c = +(i > 2), l = i > 2 ? 2 : 0;
	for (let e = 0, t = 0, n = 0; e < o; e++, t += i, n += 4) s[n] = a[t], s[n + 1] = a[t + c], s[n + 2] = a[t + l], s[n + 3] = 255;
	return s;
}
function ot(e) {
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
var st = 240, ct = 160;
function lt(e, t, n) {
	if (it(t)) return ut(e, t.data, n);
	let { width: r, height: i } = t;
	e.width !== r && (e.width = r), e.height !== i && (e.height = i), e.getContext("2d").putImageData(new ImageData(at(t), r, i), 0, 0);
}
function ut(e, t, n) {
	e.width = 480, e.height = 320;
	let r = Array.from(t), i = Math.min(0, n ? n[0] : Math.min(...r)), a = Math.max(0, n ? n[1] : Math.max(...r), i + 1e-9), o = e.getContext("2d"), s = (t) => (e.height - 8) * (1 - (t - i) / (a - i)) + 4, c = e.width / r.length;
	o.clearRect(0, 0, e.width, e.height), o.fillStyle = getComputedStyle(e).color, r.forEach((e, t) => {
		let [n, r] = [s(0), s(e)];
		o.fillRect(t * c + c * .12, Math.min(n, r), c * .76, Math.max(2, Math.abs(r - n)));
	}), o.globalAlpha = .4, o.fillRect(0, s(0) - 1, e.width, 2), o.globalAlpha = 1;
}
function dt({ pixels: e, label: t, size: n, class: r = "" }) {
	let i = G(null);
	W(() => {
		i.current && e && lt(i.current, e);
	}, [e]);
	let a = e && it(e) ? 1.5 : e ? e.width / e.height : 1, o = n ? {
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
function ft(e, t) {
	let n = t[0]?.[0];
	if (!n) return;
	let r = it(n), [i, a] = r ? [st, ct] : [n.width, n.height], o = Math.max(1, Math.round(i / 20));
	e.width = Math.max(...t.map((e) => e.length)) * (i + o) - o, e.height = t.length * (a + o) - o;
	let s = e.getContext("2d"), c = document.createElement("canvas"), l = r ? t.flat().flatMap((e) => Array.from(e.data)) : [], u = r ? [Math.min(...l), Math.max(...l)] : void 0;
	r && (c.style.color = getComputedStyle(e).color), t.forEach((t, n) => t.forEach((t, l) => {
		let [d, f] = [l * (i + o), n * (a + o)];
		return r ? (e.after(c), lt(c, t, u), c.remove(), s.drawImage(c, d, f, i, a)) : s.putImageData(new ImageData(at(t), i, a), d, f);
	}));
}
function pt({ rows: e, label: t, class: n = "", dark: r }) {
	let i = G(null);
	return W(() => {
		i.current && ft(i.current, e);
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
var mt = "(prefers-color-scheme: dark)", ht = /* @__PURE__ */ new Set(), gt = "system", _t = () => gt === "dark" || gt === "system" && matchMedia(mt).matches;
function vt() {
	let [e, t] = H(_t());
	return U(() => {
		let e = () => t(_t());
		return ht.add(e), () => void ht.delete(e);
	}, []), e;
}
// src/page/scene.ts
function yt(e) {
	let t = e.facts, n = L(e, "basis");
	return {
		facts: t,
		z: L(e, "z"),
		labels: t.classes.length ? Ue(e.arrays.labels, t.none ?? 255) : null,
		positions: L(e, "positions"),
		plane: {
			origin: L(e, "origin"),
			basis: [n.slice(0, t.dim), n.slice(t.dim)]
		},
		originals: ot(e.arrays.pixels ?? e.arrays.values),
		mean: L(e, "mean"),
		spread: L(e, "spread"),
		samples: {
			z: L(e, "sample_z"),
			y: e.arrays.sample_y?.data ?? null
		}
	};
}
var bt = (e, t) => e.z.subarray(t * e.facts.dim, (t + 1) * e.facts.dim);
function xt(e, t, n) {
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
function St(e, t) {
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
var Ct = ({ facts: e, mean: t, spread: n }, r) => e.unit === "z" ? [-3, 3] : [t[r] - 3 * (n[r] || 1), t[r] + 3 * (n[r] || 1)], wt = 9, Tt = 8, Et = 48, $ = 16;
function Dt(e, t, n, r) {
	let [i, a] = H([]), [o, s] = H(null), c = K(() => new Oe((t) => e.decode(t.z, t.n, t.y), (e) => (a(e), s(null)), (e) => s(e.message)), [e]);
	return U(() => () => c.close(), [c]), U(() => {
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
function Ot({ scene: e, batches: t }) {
	let { facts: n } = e, [r, i] = H(n.conditional ? 0 : null), [a, o] = H(() => n.walkable ? e.mean.slice() : bt(e, 0).slice());
	return /* @__PURE__ */ Q("div", {
		class: "stack explorer-parts",
		children: [
			/* @__PURE__ */ Q(kt, {
				scene: e,
				batches: t,
				z: a,
				onZ: o,
				y: r,
				onY: i
			}),
			n.walkable && /* @__PURE__ */ Q(Lt, {
				scene: e,
				batches: t,
				z: a,
				y: r
			}),
			/* @__PURE__ */ Q(zt, {
				scene: e,
				batches: t,
				y: r
			})
		]
	});
}
function kt({ scene: e, batches: t, z: n, onZ: r, y: i, onY: a }) {
	let { facts: o } = e, s = vt(), [c, l] = H(null), [u, d] = H(/* @__PURE__ */ new Set()), [f, p] = H(-1), [m, h] = H(-1), [g, _] = H(null), [v, y] = H(!1), b = K(() => c ? xt(e, ...c) : {
		plane: e.plane,
		positions: e.positions
	}, [e, c?.join()]), x = At(t, i), S = G(null), C = It({
		batches: t,
		seen: b,
		view: g,
		y: i,
		on: v && o.walkable && o.kind === "image"
	});
	U(() => {
		o.walkable ? x.push(n) : e.z.length && x.push(bt(e, Math.max(0, m)).slice());
	}, [x.queue, m]);
	let w = (t, n, i) => {
		if (!o.walkable) return;
		i >= -1 && (S.current = i >= 0 ? bt(e, i) : null);
		let a = Ge(b.plane, t, n, S.current);
		x.push(a), r(a);
	}, T = (t) => {
		h(t), o.conditional && e.labels && e.labels[t] < o.classes.length && a(e.labels[t]);
	}, ee = (e, t) => {
		if (!c) return;
		let n = [...c];
		n[t] = (n[t] + e + o.dim) % o.dim, l(n);
	}, E = f >= 0 ? f : m, D = K(() => o.walkable ? Ke(b.plane, n) : null, [b, n]), O = c ? [`z${c[0]}`, `z${c[1]}`] : o.axes;
	return /* @__PURE__ */ Q("section", {
		class: "panel",
		"aria-labelledby": "space",
		children: [/* @__PURE__ */ Q("header", { children: [/* @__PURE__ */ Q("h2", {
			id: "space",
			children: "Latent space"
		}), /* @__PURE__ */ Q("div", {
			class: "aside",
			children: [o.dim > 2 && /* @__PURE__ */ Q(Mt, {
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
						/* @__PURE__ */ Q(rt, {
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
				e.labels && /* @__PURE__ */ Q(Nt, {
					scene: e,
					hidden: u,
					onHidden: d,
					dark: s || !!C
				}),
				/* @__PURE__ */ Q("p", {
					class: "muted small words",
					children: jt(e, c)
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
					o.walkable && /* @__PURE__ */ Q(Pt, {
						z: n,
						order: o.order
					}),
					/* @__PURE__ */ Q(Ft, {
						scene: e,
						index: E
					})
				]
			})]
		})]
	});
}
function At(e, t) {
	let n = G(null), [r, i] = H(null), a = G(null), o = K(() => new Oe((n) => e.decode(n, 1, t), ([e]) => {
		n.current && lt(n.current, e);
	}, (e) => i(e.message)), [e, t]);
	return U(() => (a.current && o.push(a.current), () => o.close()), [o]), {
		canvas: n,
		queue: o,
		push: (e) => {
			a.current = e, o.push(e);
		},
		error: r
	};
}
function jt({ facts: e, z: t }, n) {
	let r = `${(t.length / e.dim).toLocaleString("en")} of ${e.total.toLocaleString("en")} ${e.source}.`;
	if (!e.walkable) return `${r} ${e.why} Point at one to see it; click to choose it.`;
	if (e.dim <= 2) return `${r} This is the whole latent space: drag, and every place is decoded.`;
	let i = "A drag that begins at a point keeps what that point has outside the plane.";
	return n ? `${r} Two of ${e.dim} dimensions, the others at their mean. ${i}` : `${r} The plane of the largest variance holds ${Math.round(100 * (e.explained ?? []).reduce((e, t) => e + t, 0))} % of it. ${i}`;
}
function Mt({ facts: e, dims: t, onDims: n }) {
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
function Nt({ scene: e, hidden: t, onHidden: n, dark: r }) {
	let i = K(() => new Set(e.labels), [e]), a = (e) => {
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
				style: { background: Ve(n, r) }
			}), e]
		}))
	});
}
function Pt({ z: e, order: t }) {
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
function Ft({ scene: e, index: t }) {
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
	return /* @__PURE__ */ Q("figure", { children: [r[t] ? /* @__PURE__ */ Q(dt, {
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
function It({ batches: e, seen: t, view: n, y: r, on: i }) {
	let [a, o] = H(n);
	U(() => {
		let e = setTimeout(() => o(n), 200);
		return () => clearTimeout(e);
	}, [n]);
	let s = K(() => {
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
		let [o, s] = X(e, n, r, 0, 0), [c, l] = X(e, n, r, n, r), u = Math.max(c - o, s - l) / 2, [d, f] = [(o + c) / 2, (l + s) / 2];
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
	]), { shown: c } = Dt(e, K(() => {
		if (!s) return null;
		let e = (s.right - s.left) / $, n = [];
		for (let r = 0; r < $; r++) for (let i = 0; i < $; i++) n.push(...Ge(t.plane, s.left + (i + .5) * e, s.high - (r + .5) * e));
		return Float32Array.from(n);
	}, [s]), 256, r);
	return K(() => {
		if (!s || c.length !== 256) return null;
		let { width: e, height: t } = c[0], n = document.createElement("canvas");
		[n.width, n.height] = [$ * e, $ * t];
		let r = n.getContext("2d"), i = document.createElement("canvas");
		return c.forEach((n, a) => {
			lt(i, n), r.drawImage(i, a % $ * e, Math.floor(a / $) * t);
		}), {
			image: n,
			...s
		};
	}, [c, s]);
}
function Lt({ scene: e, batches: t, z: n, y: r }) {
	let { facts: i } = e, [a, o] = H(!1), [s, c] = H(!1), l = K(() => i.order.filter((e) => i.active[e]), [i]), u = l.length ? l : i.order, d = a ? u.slice(0, 64) : u.slice(0, Tt), f = s ? n : e.mean, p = Math.max(...i.rates ?? [0], 1e-9);
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
				children: d.map((n) => /* @__PURE__ */ Q(Rt, {
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
			u.length > Tt && /* @__PURE__ */ Q("button", {
				type: "button",
				class: "more",
				onClick: () => o(!a),
				children: a ? "Show fewer" : `Show all ${Math.min(64, u.length)}`
			})
		]
	});
}
function Rt({ scene: e, batches: t, dim: n, start: r, y: i, share: a }) {
	let { facts: o } = e, s = vt(), [c, l] = Ct(e, n), [u, d] = H(null), f = K(() => {
		let e = new Float32Array(wt * o.dim);
		for (let t = 0; t < wt; t++) e.set(r, t * o.dim), e[t * o.dim + n] = c + (l - c) * t / 8;
		return e;
	}, [r, n]), p = K(() => {
		let e = r.slice();
		return e[n] = u ?? r[n], e;
	}, [
		r,
		u,
		n
	]), { shown: m } = Dt(t, f, wt, i), { shown: h } = Dt(t, p, 1, i), g = o.rates?.[n];
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
				children: [/* @__PURE__ */ Q(pt, {
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
				children: [/* @__PURE__ */ Q(dt, {
					pixels: h[0],
					label: `Decoded with z${n} = ${(u ?? r[n]).toFixed(2)}`,
					size: 64
				}), /* @__PURE__ */ Q("figcaption", { children: (u ?? r[n]).toFixed(2).replace("-", "−") })]
			})
		]
	});
}
function zt({ scene: e, batches: t, y: n }) {
	let { facts: r, samples: i } = e, a = vt(), o = i.z.length / r.dim, [s, c] = H(0), l = G(null), u = K(() => Array.from({ length: o }, (e, t) => t).filter((e) => !i.y || i.y[e] === n), [i, n]), d = K(() => Array.from({ length: Math.min(Et, u.length) }, (e, t) => u[(s + t) % u.length]), [u, s]), { shown: f, error: p } = Dt(t, K(() => {
		if (!d.length) return null;
		let e = new Float32Array(d.length * r.dim);
		return d.forEach((t, n) => e.set(i.z.subarray(t * r.dim, (t + 1) * r.dim), n * r.dim)), e;
	}, [d]), d.length, n);
	return U(() => {
		if (!l.current || !f.length) return;
		let e = l.current.clientWidth < 520 ? 8 : 16, t = [];
		for (let n = 0; n < f.length; n += e) t.push(f.slice(n, n + e));
		ft(l.current, t);
	}, [f, a]), /* @__PURE__ */ Q("section", {
		class: "panel",
		"aria-labelledby": "samples",
		children: [
			/* @__PURE__ */ Q("header", { children: [/* @__PURE__ */ Q("h2", {
				id: "samples",
				children: "Samples"
			}), u.length > Et && /* @__PURE__ */ Q("button", {
				type: "button",
				onClick: () => c((s + Et) % u.length),
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
var Bt = ".explorer{grid-template-columns:minmax(0,1fr) 264px;align-items:start;gap:20px 24px;display:grid}.explorer .plane-box{height:clamp(300px,58vh,560px)}.beside{flex-direction:column;gap:14px;min-width:0;display:flex}.probe-box figcaption{text-align:center}.legend{margin-top:12px}.words{max-width:84ch}.explorer .words{margin-top:10px}.readout{font-variant-numeric:tabular-nums;flex-wrap:wrap;justify-content:center;gap:2px 14px;font-size:.86rem;display:flex}.dims{grid-template-columns:repeat(auto-fit,minmax(min(100%,480px),1fr));gap:18px 36px;display:grid}.dim{grid-template-columns:74px minmax(0,1fr) 64px;align-items:center;gap:6px 14px;display:grid}.dim-name{flex-direction:column;display:flex}.dim-name strong{font-weight:620}.bar{background:var(--faint);border-radius:2px;height:4px;margin-top:4px}.bar span{background:var(--accent);border-radius:2px;height:100%;display:block}.dim-strip{flex-direction:column;min-width:0;display:flex}.dim-strip input{width:100%}.dim-hand{align-items:center}.dim-hand figcaption{font-variant-numeric:tabular-nums}.more{align-self:flex-start}@container parts (width<=760px){.explorer{grid-template-columns:minmax(0,1fr)}.beside{flex-flow:wrap;align-items:flex-start}.probe-box{flex:150px}.dim{grid-template-columns:60px minmax(0,1fr) 64px;gap:6px 10px}.panel{padding:14px}}.explorer-parts{container:parts/inline-size}";
// src/widget/main.tsx
function Vt(e, t) {
	for (let n = e; n && t; n = n.parentElement) {
		let e = n.querySelector(`.latentia-static[data-explorer="${CSS.escape(t)}"]`);
		if (e) {
			e.hidden = !0;
			return;
		}
	}
}
function Ht({ model: e, el: t }) {
	let n = e.get("scene"), r = yt(I(n.buffer.slice(n.byteOffset, n.byteOffset + n.byteLength))), i = /* @__PURE__ */ new Map(), a = 0, o = ({ seq: e, error: t }, n) => {
		let a = i.get(e);
		if (i.delete(e), t !== void 0 || !n[0]) return a?.failed(Error(t ?? "The kernel answered without a picture."));
		let { buffer: o, byteOffset: s, byteLength: c } = n[0], l = new Float32Array(o.slice(s, s + c));
		a?.done(St(l, r.facts));
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
	l.textContent = `${se}\n${Bt}`.replaceAll(":root", ":host") + ":host { display: block; color: var(--ink); }", Vt(t, r.facts.static);
	let u = document.createElement("div");
	return c.append(l, u), P(/* @__PURE__ */ Q(Ot, {
		scene: r,
		batches: s
	}), u), () => {
		e.off("msg:custom", o), P(null, u);
	};
}
var Ut = { render: Ht };
export { Ut as default };
