/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the network: the table. How they judge stands in net_tcp.c, net_connect.c, net_table.c, net_udp.c and
 * net_link.c; what they share in net_view.c. */
#include "checklist/net_rules.h"

#define COUNTERS "/proc/net/{snmp,netstat} of every network namespace"
#define SOCKETS  "sock_diag (root for other users' processes and namespaces)"

/* clang-format off */
const struct rule rules_net[] = {
	{
		.id = "net.conntrack_full", .question = "Does a full connection tracking table drop packets?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 0.95, .warn = 0.1, .crit = 10,
		.fires = "at least 95 % of the entries taken, and packets dropped or entries thrown out early in the window",
		.needs = "/proc/sys/net/netfilter/nf_conntrack_{count,max}, /proc/net/stat/nf_conntrack, of every network namespace",
		.meaning = "netfilter remembers every connection that passes, per namespace; when its table is full the first packet of each "
			   "new connection is dropped. Whoever connects sees a timeout.",
		.lookalikes = "A nearly full table that drops nothing. SYNs dropped by a filter rule (net.connect_timeout_blackhole).",
		.action = "Raise nf_conntrack_max, shorten the timeouts of established and TIME-WAIT entries, or do not track this traffic "
			  "(notrack).",
		.symptoms = "net.connect_timeout_blackhole net.tcp_packet_loss net.connection_refused kernel.log_errors", .check = net_conntrack_full,
	}, {
		.id = "net.conntrack_insert_failed", .question = "Do packets race for one connection tracking entry?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 0.5, .warn = 0.5, .crit = 10,
		.fires = "at least 0.5 insertions a second fail",
		.needs = "/proc/net/stat/nf_conntrack of every network namespace",
		.meaning = "Two packets of what looks like one connection are handled at once on two CPUs; one is dropped. Typical: the A and "
			   "AAAA questions of one look-up, behind NAT.",
		.lookalikes = "A full table (net.conntrack_full).",
		.action = "A name server cache on the node, single-request-reopen in resolv.conf, or no tracking for port 53.",
		.symptoms = "net.dns_timeout", .check = net_conntrack_insert,
	}, {
		.id = "net.listen_overflow", .question = "Are connection requests dropped because an accept queue is full?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_TCP_LISTEN_OVERFLOWS, .floor = 0.5, .warn = 0.5, .crit = 10,
		.fires = "a listening socket dropped at least 0.5 requests a second, and its accept queue was seen at its limit",
		.needs = SOCKETS ", " COUNTERS,
		.meaning = "The server takes connections from its accept queue more slowly than they come. Clients wait a second or more for "
			   "the next try of their SYN.",
		.lookalikes = "A SYN flood drops at the same counter while the accept queue is empty. Overflows of long ago stand in the same "
			      "counters: only the window counts.",
		.action = "Find out why the server does not accept (stuck, too few workers, saturated); then a larger backlog "
			  "(listen(), net.core.somaxconn).",
		.symptoms = "net.connect_timeout_blackhole net.accept_queue_slow net.tcp_packet_loss app.slow_server", .check = net_listen_overflow,
	}, {
		.id = "net.syn_flood", .question = "Is a listening socket flooded with handshakes that never complete?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_TCP_SYNCOOKIES, .floor = 10, .warn = 10, .crit = 1e6,
		.fires = "at least 10 SYNs a second are answered by a cookie or dropped, fewer become connections, and half of the socket's "
			 "queue is half-open connections",
		.needs = SOCKETS ", " COUNTERS,
		.meaning = "Half-open connections fill the queue. With SYN cookies real clients still get in, without options; without cookies "
			   "they do not.",
		.lookalikes = "Many real clients at once: their handshakes complete. Clients far away whose last ACK is lost.",
		.action = "Keep net.ipv4.tcp_syncookies at 1, filter the sources before this host, raise tcp_max_syn_backlog.",
		.symptoms = "net.listen_overflow net.tcp_packet_loss net.connection_refused net.connect_timeout_blackhole", .check = net_syn_flood,
	}, {
		.id = "net.connect_timeout_blackhole", .question = "Do connection requests get no answer?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_EP_SAMPLED, .floor = 0.2, .warn = 0.2, .crit = 10,
		.fires = "at least 0.2 connections to one endpoint are in SYN-SENT at any time and send their SYN again, or handshakes take "
			 "200 ms on average and hardly any is made",
		.needs = SOCKETS ", samples of all connections",
		.meaning = "The SYN or its answer is dropped: a filter, a host that is gone, a route that leads nowhere. Each try costs "
			   "1, 2, 4 … seconds. The time counted is that of connections, whoever waits for them.",
		.lookalikes = "A full accept queue on this machine (net.listen_overflow), a full connection tracking table "
			      "(net.conntrack_full). Refused connections fail at once (net.connection_refused).",
		.action = "Look for a filter on either side and for the host itself; give clients a connect timeout shorter than their "
			  "callers' patience.",
		.symptoms = "net.tcp_packet_loss app.slow_dependency net.connection_refused", .check = net_connect_timeout,
	}, {
		.id = "net.connection_refused", .question = "Are connections refused?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_TCP_ATTEMPT_FAILS, .floor = 5, .warn = 5, .crit = 1e6,
		.fires = "at least 5 attempts a second fail at once",
		.needs = COUNTERS "; " SOCKETS " and samples of /proc/PID/fd name port and client",
		.meaning = "The SYN is answered by a reset: nothing listens on that port, or a filter rejects it. A refused connection lives for "
			   "microseconds, so the port is caught by luck and the client by its ever new descriptors.",
		.lookalikes = "A probe now and then (health checks of a service that is down) stays below the floor.",
		.action = "Start the service, or point the client to where it is; let the client wait longer after each failure.",
		.symptoms = "net.connection_churn", .check = net_refused,
	}, {
		.id = "net.connection_reset", .question = "Do established connections end by a reset?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_TCP_ESTAB_RESETS, .floor = 5, .warn = 5, .crit = 1e6,
		.fires = "at least 5 resets a second that are 5 % of the connections made when programs here reset them, else 25 %",
		.needs = COUNTERS "; " SOCKETS,
		.meaning = "One side throws the connection away: it closed with unread data or without lingering, or it died. The other side "
			   "loses what was in flight and gets ECONNRESET.",
		.lookalikes = "Clients of a public server that hang up by reset are normal in small numbers; so are probes of load balancers.",
		.action = "Find the side that closes (strace close, SO_LINGER); read what was sent before closing, shut down in order.",
		.symptoms = "net.connection_churn net.connection_refused", .check = net_reset,
	}, {
		.id = "net.connection_churn", .question = "Is CPU time spent on making short connections?",
		.resource = RES_NET, .aspect = ASPECT_RATE, .metric = M_TCP_ACTIVE, .floor = 0.1, .warn = 0.1, .crit = 10,
		.fires = "at least 500 connections a second to one endpoint from at most 4 addresses, and 0.1 CPUs of kernel time at their ends",
		.needs = COUNTERS "; " SOCKETS ", samples of TIME-WAIT",
		.meaning = "A connection is made for each request. Handshake, slow start, socket and TIME-WAIT cost more than the request.",
		.lookalikes = "A public server with many visitors: their addresses differ. Connections that fail have findings of their own.",
		.action = "Keep connections open (keep-alive, a pool).",
		.symptoms = "net.packet_storm_softirq net.ephemeral_ports_exhausted net.timewait_overflow net.accept_queue_slow app.worker_pool_exhausted "
			    "app.single_threaded_server_saturated cpu.context_switch_storm cpu.softirq_saturated cpu.saturated "
			    "cpu.single_thread_bound cpu.runqueue_latency_bursts", .check = net_churn,
	}, {
		.id = "net.ephemeral_ports_exhausted", .question = "Do connections to one endpoint use up the local ports?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_EP_SAMPLED, .floor = 0.9, .warn = 3600, .crit = 600,
		.fires = "at least 90 % of the local port range in use towards one endpoint, TIME-WAIT included (unless tcp_tw_reuse lets them be "
			 "used again), and connections still being made",
		.needs = SOCKETS ", /proc/sys/net/ipv4/ip_local_port_range",
		.meaning = "A connection needs a local port that no other one to the same address and port has. When none is left connect() "
			   "fails with EADDRNOTAVAIL.",
		.lookalikes = "Many connections to many endpoints share ports without trouble.",
		.action = "Keep connections open; net.ipv4.tcp_tw_reuse=1; a wider ip_local_port_range; more addresses.",
		.symptoms = "net.connection_churn", .check = net_ports_exhausted,
	}, {
		.id = "net.timewait_overflow", .question = "Is the table of TIME-WAIT connections full?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_TCP_TW_OVERFLOW, .floor = 1, .warn = 1, .crit = 1e6,
		.fires = "at least one TIME-WAIT connection a second is not kept; it is information: nothing fails by it now",
		.needs = COUNTERS, .meaning = "Beyond tcp_max_tw_buckets connections end without TIME-WAIT.",
		.lookalikes = "Many TIME-WAIT connections below the limit are normal.",
		.action = "Fewer short connections, or a larger net.ipv4.tcp_max_tw_buckets.", .symptoms = "", .check = net_timewait_overflow,
	}, {
		.id = "net.accept_queue_slow", .question = "Do connections wait to be accepted while the server is idle?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_EP_SAMPLED, .floor = 0.5, .warn = 0.5, .crit = 10,
		.fires = "connections in the accept queue for at least half of the window, at least one on average, while a thread of the server "
			 "waits for work and the server uses less than half a CPU",
		.needs = SOCKETS ", samples of threads",
		.meaning = "The server does not notice its connections: it listens for the wrong event, or the thread that accepts does something else.",
		.lookalikes = "A server without a free worker (app.worker_pool_exhausted).",
		.action = "Accept in a thread of its own, or until EAGAIN after each event.",
		.symptoms = "app.slow_server", .check = net_accept_slow,
	}, {
		.id = "net.link_saturated", .question = "Is an interface as full as it can be?",
		.resource = RES_NET, .aspect = ASPECT_UTILIZATION, .metric = M_NETIF_TX_BYTES, .floor = 0.9, .warn = 0.05, .crit = 1,
		.fires = "at least 90 % of what the root shaper lets through, else of the negotiated speed, with packets waiting in the queue",
		.needs = "/proc/net/dev, rtnetlink (queueing disciplines), ethtool (speed)",
		.meaning = "The senders could send more; what they have waits in the queue or is dropped there. The speed of veth and other "
			   "software interfaces is no capacity and is not used.",
		.lookalikes = "A busy link without a queue. One traffic class at its own ceiling (net.shaped_class).",
		.action = "Find the bulk sender and slow it down or move it in time; fair queueing (fq_codel) for the others; a faster link.",
		.symptoms = "net.tcp_packet_loss net.qdisc_drops net.bufferbloat net.tcp_sndbuf_limited net.shaped_class net.tcp_zero_window",
		.check = net_link_saturated,
	}, {
		.id = "net.shaped_class", .question = "Does a traffic class wait at its own ceiling?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_NETIF_TX_BYTES, .floor = 0.9, .warn = 0.05, .crit = 1,
		.fires = "a leaf class sends at least 90 % of its ceiling with packets waiting, while the link has room",
		.needs = "rtnetlink (classes of htb, hfsc)",
		.meaning = "An administrator's limit, not the link, holds this traffic back.",
		.lookalikes = "A full link (net.link_saturated).", .action = "Raise the ceil of the class, or let it borrow.",
		.symptoms = "net.tcp_packet_loss net.qdisc_drops net.bufferbloat", .check = net_shaped_class,
	}, {
		.id = "net.packet_storm_softirq", .question = "Do many small packets keep the CPUs busy?",
		.resource = RES_NET, .aspect = ASPECT_UTILIZATION, .metric = M_CPU_NET_PACKETS, .floor = 50000, .warn = 0.3, .crit = 10,
		.fires = "at least 50,000 packets a second of at most 300 bytes, and 0.3 CPUs of soft interrupts and kernel time of the sender",
		.needs = "/proc/net/softnet_stat, /proc/net/dev, /proc/stat; " SOCKETS " for the sender",
		.meaning = "Each packet costs a microsecond or more, however small. Time in soft interrupts is billed to whoever was interrupted.",
		.lookalikes = "A large transfer has as many packets, but large ones.",
		.action = "Find the sender; batch or filter; spread the receiving (RSS, RPS) over CPUs.",
		.symptoms = "cpu.softirq_saturated cpu.irq_imbalance net.softnet_drops net.udp_rcvbuf_overflow cpu.saturated cpu.syscall_storm "
			    "cpu.single_thread_bound cpu.runqueue_latency_bursts", .check = net_packet_storm,
	}, {
		.id = "net.tcp_packet_loss", .question = "Are TCP segments lost on the way?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_TCP_RETRANS, .floor = 0.005, .warn = 0.05, .crit = 1,
		.fires = "at least 0.5 % of the segments of an endpoint sent again (spurious ones taken off), and connections in recovery or "
			 "waiting for a timeout at least 0.05 s/s and 5 % of the time they have data in flight",
		.needs = SOCKETS ", " COUNTERS,
		.meaning = "Something on the path drops packets. What it costs is the time in recovery and in retransmission timeouts (200 ms and "
			   "more), not the percentage: BBR hardly notices 5 %.",
		.lookalikes = "A few retransmissions an hour; tail loss probes that the peer reports as received twice; drops in a queue of this "
			      "machine (net.link_saturated, net.qdisc_drops); SYNs that are not answered.",
		.action = "Follow the path: ip -s link and tc -s on this side, filters, the other side's counters, mtr.",
		.symptoms = "app.slow_server", .check = net_packet_loss,
	}, {
		.id = "net.bufferbloat", .question = "Does bulk data make others wait in a queue on the path?",
		.resource = RES_NET, .aspect = ASPECT_DURATION, .metric = M_EP_SAMPLED, .floor = 0.05, .warn = 0.05, .crit = 1,
		.fires = "round trips at least three times and 50 ms longer than the least seen, for a bulk flow with hardly a loss and for another "
			 "connection from the same address that loses at least 0.05 s/s by it",
		.needs = SOCKETS, .meaning = "A large buffer before the narrowest link is filled by the bulk flow; all that passes it waits.",
		.lookalikes = "A path that is long by itself has a long least round trip as well.",
		.action = "fq_codel or cake with a rate just below the link's; a rate limit on the bulk flow.", .symptoms = "", .check = net_bufferbloat,
	}, {
		.id = "net.pmtu_blackhole", .question = "Do full-size segments vanish while small ones pass?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_EP_SAMPLED, .floor = 1, .warn = 1, .crit = 10,
		.fires = "a connection in its second timeout or later whose segments are full-size, acknowledged nothing of them in the window, "
			 "while another connection to the same address works",
		.needs = SOCKETS, .meaning = "A link with a smaller MTU drops large packets and the ICMP message that says so is filtered.",
		.lookalikes = "A peer that is gone answers nobody.",
		.action = "Let ICMP 'fragmentation needed' pass; clamp the MSS; net.ipv4.tcp_mtu_probing=1; a smaller MTU.",
		.symptoms = "net.tcp_packet_loss", .check = net_pmtu_blackhole,
	}, {
		.id = "net.tcp_zero_window", .question = "Do receivers leave their window closed?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_EP_SAMPLED, .floor = 0.2, .warn = 0.2, .crit = 1,
		.fires = "at least 0.2 connections of an endpoint have data to send and a closed window at any time, for half of their busy time; "
			 "with a receiver elsewhere, 80 % of the endpoint's connections",
		.needs = SOCKETS, .meaning = "The program at the other end does not read: it is slow, stuck, or stopped.",
		.lookalikes = "A paced reader (a video player) closes its window for a moment now and then.",
		.action = "See what the reader does instead of reading.", .symptoms = "app.slow_server", .check = net_zero_window,
	}, {
		.id = "net.tcp_sndbuf_limited", .question = "Is a send buffer too small for the path?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_EP_SAMPLED, .floor = 0.3, .warn = 0.3, .crit = 10,
		.fires = "connections over a path of at least 1 ms are limited by their send buffer for half of their busy time, 0.3 s/s together",
		.needs = SOCKETS, .meaning = "The kernel may keep only so many bytes in flight; a round trip later there is room again.",
		.lookalikes = "A closed window at the receiver (net.tcp_zero_window); a full link.",
		.action = "Do not set SO_SNDBUF (that switches autotuning off); raise net.ipv4.tcp_wmem.", .symptoms = "", .check = net_sndbuf_limited,
	}, {
		.id = "net.nagle_delayed_ack", .question = "Do small writes wait for delayed acknowledgements?",
		.resource = RES_NET, .aspect = ASPECT_DURATION, .metric = M_EP_SAMPLED, .floor = 0.2, .warn = 0.2, .crit = 10,
		.fires = "at least 0.2 connections of an endpoint hold back less than a segment while one is unacknowledged, with a round trip at "
			 "least 10 ms longer than the least, which is below 10 ms",
		.needs = SOCKETS, .meaning = "A message is written in two pieces. The second waits until the first is acknowledged, and the peer delays "
			   "that by 40 ms, hoping to have something to send along.",
		.lookalikes = "Over a long path everything takes a round trip.",
		.action = "Write the message at once (writev, a buffer), or set TCP_NODELAY.", .symptoms = "app.slow_server", .check = net_nagle,
	}, {
		.id = "net.tcp_mem_pressure", .question = "Is TCP short of memory?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_TCP_MEMORY, .floor = 1, .warn = 0.1, .crit = 10,
		.fires = "connections reset for want of memory, or TCP's buffers above the pressure limit with segments dropped for it",
		.needs = "/proc/net/{sockstat,netstat}, /proc/sys/net/ipv4/tcp_mem",
		.meaning = "All socket buffers together have reached net.ipv4.tcp_mem: receive windows shrink, segments are dropped, orphans reset.",
		.lookalikes = "A single socket with a full buffer.", .action = "Find sockets with large queues (ss -tm); raise tcp_mem.",
		.symptoms = "net.tcp_packet_loss net.tcp_zero_window", .check = net_tcp_memory,
	}, {
		.id = "net.dns_timeout", .question = "Do name look-ups get no answer?",
		.resource = RES_NET, .aspect = ASPECT_DURATION, .metric = M_EP_SAMPLED, .floor = 0.3, .warn = 0.3, .crit = 10,
		.fires = "at least 0.3 sockets to port 53 of a name server were opened while we looked on and have had no answer for a second",
		.needs = SOCKETS ", samples of UDP sockets",
		.meaning = "The resolver asks, waits 1 to 5 seconds, asks again, then the next server. To the program, connecting is slow.",
		.lookalikes = "A cache that keeps its sockets to port 53 open has them from before the window.",
		.action = "Ask that server by hand (dig); correct resolv.conf; a local cache; a second server with a short timeout.",
		.symptoms = "app.slow_server app.slow_dependency net.udp_rcvbuf_overflow", .check = net_dns_timeout,
	}, {
		.id = "net.udp_rcvbuf_overflow", .question = "Are datagrams dropped because the receiver is too slow?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_UDP_RCVBUF_ERRS, .floor = 1, .warn = 1, .crit = 1e6,
		.fires = "at least one datagram a second and 0.1 % of all are dropped at a full receive buffer",
		.needs = COUNTERS "; " SOCKETS " for the socket",
		.meaning = "The program reads more slowly than datagrams come, or in bursts that its buffer cannot hold.",
		.lookalikes = "Datagrams for a port that nobody listens on (net.udp_no_port).",
		.action = "See what the receiver does (profile it); read in batches (recvmmsg); more threads; a larger SO_RCVBUF for bursts.",
		.symptoms = "", .check = net_udp_overflow,
	}, {
		.id = "net.udp_no_port", .question = "Do datagrams arrive for a port that nobody listens on?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_UDP_NO_PORTS, .floor = 20, .warn = 20, .crit = 1e6,
		.fires = "at least 20 datagrams a second and 5 % of those received",
		.needs = COUNTERS "; " SOCKETS " for port and sender",
		.meaning = "They are answered by ICMP 'port unreachable'. A program sends to a service that is not there.",
		.lookalikes = "Scans, and late answers after a restart.", .action = "Start the receiver or stop the sender.",
		.symptoms = "", .check = net_udp_no_port,
	}, {
		.id = "net.interface_errors", .question = "Does an interface send or receive broken packets?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_NETIF_RX_ERRORS, .floor = 1, .warn = 1, .crit = 1e6,
		.fires = "at least one error a second and 0.01 % of the packets (1 % on a software interface)",
		.needs = "/proc/net/dev, rtnetlink",
		.meaning = "CRC, framing, carrier and driver errors: the packet is gone, and whoever sent it finds out by a timeout.",
		.lookalikes = "Old errors stand in the same counters. Packets missed for want of a buffer are net.nic_ring_drops.",
		.action = "Cable, transceiver, switch port, duplex setting, driver.", .symptoms = "net.tcp_packet_loss", .check = net_interface_errors,
	}, {
		.id = "net.nic_ring_drops", .question = "Are packets lost because the card's ring is full?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_NETIF_RX_FIFO, .floor = 1, .warn = 1, .crit = 1e6,
		.fires = "at least one packet a second and 0.01 % of those received",
		.needs = "rtnetlink, ethtool -S", .meaning = "The CPU that is to empty the ring comes too late, or the ring is too short for bursts.",
		.lookalikes = "Counters of the driver may also count what it drops on purpose: confidence is lower then.",
		.action = "A longer ring (ethtool -G), more queues, interrupts on CPUs with time.",
		.symptoms = "net.tcp_packet_loss", .check = net_ring_drops,
	}, {
		.id = "net.cloud_allowance", .question = "Does the provider hold back packets?",
		.resource = RES_NET, .aspect = ASPECT_SATURATION, .metric = M_NONE, .floor = 1, .warn = 1, .crit = 1e6,
		.fires = "at least one packet a second over an allowance that the driver counts",
		.needs = "ethtool -S with counters named …allowance_exceeded", .meaning = "The instance type allows so much bandwidth, so many packets and "
			   "connections; the rest is queued or dropped outside of this machine.",
		.lookalikes = "A full link that the machine can see.", .action = "A larger instance type, or less traffic.",
		.symptoms = "net.tcp_packet_loss", .check = net_cloud_allowance,
	}, {
		.id = "net.softnet_drops", .question = "Are packets dropped at a CPU's input queue?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_CPU_NET_DROPS, .floor = 1, .warn = 1, .crit = 1e6,
		.fires = "at least one packet a second and 0.01 % of those taken",
		.needs = "/proc/net/softnet_stat", .meaning = "Packets of veth, loopback and RPS pass a queue per CPU of net.core.netdev_max_backlog packets.",
		.lookalikes = "time_squeeze alone only says that work was cut in slices.",
		.action = "Spread receiving over CPUs (RPS), raise net.core.netdev_max_backlog.", .symptoms = "net.tcp_packet_loss", .check = net_softnet_drops,
	}, {
		.id = "net.qdisc_drops", .question = "Does a send queue drop packets?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_NETIF_TX_BYTES, .floor = 10, .warn = 10, .crit = 1e6,
		.fires = "at least 10 packets a second and 1 % of what was to be sent",
		.needs = "rtnetlink (queueing disciplines)", .meaning = "More is sent than the discipline lets through or can hold.",
		.lookalikes = "fq_codel drops a few packets of bulk flows by design. A full link is net.link_saturated.",
		.action = "A larger limit or rate, or fewer bytes.", .symptoms = "net.tcp_packet_loss", .check = net_qdisc_drops,
	}, {
		.id = "net.neighbour_table_full", .question = "Is the table of neighbours full?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_NEIGH_FULL, .floor = 1, .warn = 0.1, .crit = 10,
		.fires = "a neighbour could not be added in the window", .needs = "/proc/net/stat/{arp_cache,ndisc_cache}",
		.meaning = "Packets to hosts of the local network that are not in the table cannot be sent.",
		.lookalikes = "Many entries below the limit.", .action = "Raise net.ipv4.neigh.default.gc_thresh1..3 (and ipv6).",
		.symptoms = "net.connect_timeout_blackhole net.tcp_packet_loss", .check = net_neighbours_full,
	}, {
		.id = "net.link_flap", .question = "Does an interface lose its carrier?",
		.resource = RES_NET, .aspect = ASPECT_ERRORS, .metric = M_NONE, .floor = 1, .warn = 1, .crit = 10,
		.fires = "the carrier of a hardware interface came or went in the window", .needs = "rtnetlink",
		.meaning = "Nothing is sent while the link is down, and switches may take seconds to forward again.",
		.lookalikes = "Software interfaces come and go with containers.", .action = "Cable, transceiver, switch port.",
		.symptoms = "net.tcp_packet_loss net.interface_errors", .check = net_link_flap,
	}, {
		.id = "net.negotiated_low_speed", .question = "Does a link run slower than it could?",
		.resource = RES_NET, .aspect = ASPECT_UTILIZATION, .metric = M_NONE, .floor = 0.5, .warn = 0.5, .crit = 10,
		.fires = "half duplex, or at most a tenth of the card's speed: a warning when half of that is in use, else information",
		.needs = "ethtool", .meaning = "A bad cable or a forced setting makes both sides agree on less.",
		.lookalikes = "A fast card on a slower switch.", .action = "Cable; switch both sides to automatic negotiation.",
		.symptoms = "net.link_saturated", .check = net_low_speed,
	}, { .id = NULL }
};
/* clang-format on */
