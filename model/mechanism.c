/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel functions by what they are for. A function belongs to the first row that has a prefix of its name, so that what is
 * special stands above what is general; compilers add ".part.0", ".isra.0" and ".constprop.0" behind it. */
#include "model/mechanism.h"

#include <string.h>

/* clang-format off */
const struct mechanism mechanisms[] = {
	[MECHANISM_OTHER] = { "other", "functions that the table does not know", "" },
	{ "spin lock", "waiting for a lock of the kernel, awake",
	  "native_queued_spin_lock_slowpath queued_ pv_queued_spin __pv_queued_spin _raw_spin_lock _raw_read_lock"
	  " _raw_write_lock osq_lock rwsem_spin_on_owner mutex_spin_on_owner rwsem_optimistic_spin kvm_wait" },
	{ "tracing", "perf, ftrace and eBPF programs, sixty's own included",
	  "bpf_prog_ bpf_iter_ bpf_seq_ __bpf_ bpf_ trace_event ftrace_ perf_ __perf_ kprobe_ uprobe_ ring_buffer_"
	  " __traceiter_ __unwind_ unwind_" },
	{ "tlb and ipi", "telling other CPUs to forget addresses, and waiting for them",
	  "flush_tlb native_flush_tlb arch_tlbbatch smp_call_function on_each_cpu __flush_smp_call generic_smp_call"
	  " tlb_flush try_to_unmap_flush generic_exec_single" },
	{ "compaction", "moving pages to make large free blocks",
	  "compact_ isolate_migratepages isolate_freepages migrate_ try_to_compact kcompactd khugepaged collapse_" },
	{ "reclaim", "looking for pages to free",
	  "shrink_ balance_pgdat kswapd try_to_free_ evict_folios isolate_lru do_try_to_free lru_gen_ try_to_shrink"
	  " folio_referenced try_to_unmap workingset_ add_to_swap swap_ zram_ do_shrink_slab invalidate_" },
	{ "zeroing", "clearing pages before a program gets them",
	  "clear_page read_zero clear_huge_page clear_highpage clear_user rep_stos folio_zero clear_subpage __clear_user"
	  " kernel_init_pages memset" },
	{ "copying", "moving bytes between the kernel and programs",
	  "copy_user _copy_ __copy_ copy_page copyin copyout rep_movs copy_to_ copy_from_ copy_folio iov_iter_"
	  " skb_copy_datagram simple_copy memcpy memmove" },
	{ "unmapping", "taking memory away from a process",
	  "unmap_ zap_ exit_mmap free_pgtables tlb_finish __x64_sys_munmap do_munmap __vm_munmap madvise_"
	  " do_madvise free_pages_and_swap folios_put" },
	{ "memory accounting", "charging memory to control groups",
	  "mem_cgroup_ __mem_cgroup_ try_charge obj_cgroup_ charge_memcg __memcg_ memcg_ __mod_memcg page_counter_"
	  " cgroup_rstat css_rstat" },
	{ "allocation", "pages and objects of the kernel's own memory",
	  "__alloc_pages alloc_pages get_page_from_freelist __alloc_frozen_pages rmqueue free_unref_ __free_pages"
	  " free_pcppages free_frozen_ kmem_cache_ __kmalloc kmalloc kfree slab_ __slab_ ___slab_ vmalloc __vmalloc"
	  " vfree folio_alloc vma_alloc_folio pcpu_" },
	{ "mapping", "changing the map of a process's memory",
	  "mmap_region __mmap_region do_mmap vm_mmap mprotect_ do_mprotect vma_ __vma_ do_brk mas_ mt_"
	  " unmapped_area find_vma mremap change_protection" },
	{ "page fault", "giving a program the page that it touched",
	  "handle_mm_fault __handle_mm_fault do_anonymous_page do_wp_page wp_page_copy do_fault do_user_addr_fault"
	  " exc_page_fault asm_exc_page_fault do_swap_page filemap_map_pages filemap_fault do_huge_pmd"
	  " lock_vma_under_rcu do_cow_fault do_read_fault do_page_fault do_translation_fault do_mem_abort"
	  " folio_add_ count_memcg_event set_pte next_uptodate_folio" },
	{ "futex", "locks and queues of programs",
	  "futex_ do_futex __x64_sys_futex __futex_ get_futex_ plist_" },
	{ "wake-ups", "making threads runnable",
	  "try_to_wake_up wake_up_ __wake_up ttwu_ select_task_rq autoremove_wake default_wake select_idle_"
	  " sched_ttwu wake_q_ wake_affine" },
	{ "mutex", "taking and handing on mutexes and semaphores of the kernel",
	  "mutex_ __mutex_ rwsem_ down_ up_ __down_ __up_ percpu_down rt_mutex_ rt_spin" },
	{ "timers", "setting and running timers",
	  "hrtimer_ __hrtimer_ run_timer __run_timer tick_ clockevents_ timerfd_ do_nanosleep call_timer_fn"
	  " mod_timer __mod_timer do_setitimer posix_timer common_timer lapic_next update_process_times" },
	{ "clock", "reading the clock",
	  "ktime_get read_hpet acpi_pm_read pvclock_ kvm_clock read_tsc hv_ posix_get_ __x64_sys_clock_gettime"
	  " sched_clock native_sched_clock timekeeping_ __x64_sys_gettimeofday" },
	{ "audit and seccomp", "checks of calls: audit, seccomp, security modules",
	  "audit_ __audit_ seccomp_ __seccomp_ security_ selinux_ avc_ apparmor_ aa_ fanotify_ fsnotify landlock_" },
	{ "cryptography", "ciphers and checksums",
	  "aes crypto_ sha1_ sha256_ sha512_ chacha gcm_ crc32 xts_ blake2 get_random_ extract_ csum_partial raid6_"
	  " poly1305" },
	{ "packet filter", "netfilter, connection tracking, traffic control",
	  "nf_ ipt_ ip6t_ nft_ xt_ iptable_ tcf_ cls_ ebt_ __nf_ br_nf htb_ fq_ tbf_ netem_" },
	{ "network receive", "receiving packets",
	  "net_rx_action __netif_receive netif_receive __napi_ napi_ process_backlog ip_rcv ip_local_deliver"
	  " tcp_v4_rcv tcp_v6_rcv tcp_rcv_ tcp_ack tcp_data_queue udp_rcv __udp4_lib_rcv udp_queue ipv6_rcv gro_"
	  " inet_gro tcp_gro tcp_v4_do_rcv virtnet_poll icmp_rcv tcp_conn_request __inet_lookup br_handle" },
	{ "network transmit", "sending packets",
	  "dev_hard_start __dev_queue_xmit dev_queue_xmit sch_direct __qdisc_run ip_output ip_queue_xmit"
	  " __ip_queue_xmit ip_finish_output tcp_write_xmit __tcp_transmit tcp_transmit __tcp_push tcp_push"
	  " tcp_send_ udp_send_skb loopback_xmit start_xmit veth_xmit ip_send_skb ip6_xmit net_tx_action"
	  " br_dev_xmit" },
	{ "sockets", "calls of programs on sockets",
	  "tcp_ udp_ udpv6_ inet_ inet6_ sock_ __sock __sys_send __sys_recv unix_ skb_ __skb_ __alloc_skb alloc_skb"
	  " sk_ __sk_ netlink_ lock_sock release_sock __release_sock ip_route fib_ packet_ consume_skb" },
	{ "poll", "poll, select and epoll",
	  "ep_ do_epoll do_poll do_sys_poll do_select core_sys_select __pollwait pollwake poll_freewait"
	  " __x64_sys_epoll" },
	{ "pipes", "pipes, event and timer descriptors, terminals",
	  "pipe_ anon_pipe eventfd_ tty_ n_tty_ pty_ splice_ iter_file_splice" },
	{ "process creation", "fork, exec and exit",
	  "copy_process kernel_clone dup_ copy_mm copy_p do_exit do_group_exit release_task exit_files exit_mm exit_notify exit_signals __mmput mmput"
	  " do_execve bprm_ load_elf_ begin_new_exec wait_task_zombie do_wait anon_vma_ setup_arg_pages mm_init"
	  " free_task __put_task alloc_pid cgroup_can_fork cgroup_post_fork" },
	{ "signals", "sending and delivering signals",
	  "send_signal __send_signal do_send_ get_signal handle_signal arch_do_signal __rt_sigreturn"
	  " __x64_sys_rt_sig complete_signal kill_ do_signal x64_setup_rt_frame __x64_sys_kill __x64_sys_tgkill"
	  " dequeue_signal" },
	{ "path lookup", "from a file's name to the file",
	  "link_path_walk path_ walk_component lookup_ __lookup d_lookup __d_ d_alloc dput filename_lookup"
	  " do_filp_open dentry_ getname inode_permission step_into do_sys_open vfs_statx lockref_ complete_walk"
	  " open_last_lookups " },
	{ "proc and sysfs", "making the text of /proc and /sys",
	  "proc_ seq_ kernfs_ sysfs_ show_ do_task_stat vsnprintf format_decode number cgroup_ smaps_ pid_"
	  " next_tgid stat_open meminfo_ vmstat_ s_show update_iter kallsyms_ get_ksymbol" },
	{ "block I/O", "requests to disks",
	  "blk_ __blk_ submit_bio __submit_bio bio_ nvme_ scsi_ virtblk_ virtio_ virtqueue_ dm_ md_ loop_ lo_"
	  " blkdev_ ata_ bfq_ dd_ sbitmap_ iocb_bio crypt_convert null_" },
	{ "file systems", "reading and writing files",
	  "ext4_ __ext4_ jbd2_ xfs_ btrfs_ f2fs_ nfs fuse_ ovl_ shmem_ filemap_ generic_perform_write generic_file"
	  " iomap_ balance_dirty writeback_ wb_ __writeback folio_ __folio __filemap page_cache_ xas_ xa_ vfs_"
	  " ksys_ new_sync do_iter fdget __fget fput __fput generic_ mpage_ __getblk __find_get_block block_ ramfs_"
	  " io_uring io_ iterate_dir filldir cifs_ zisofs squashfs evict iget iput touch_atime file_ rw_verify" },
	{ "guests", "running virtual machines",
	  "vmx_ svm_ kvm_ vcpu_ vhost_ tun_" },
	{ "scheduler", "choosing who runs, and changing over",
	  "__schedule schedule pick_next __pick_next pick_ finish_task_switch context_switch prepare_task_switch"
	  " update_ enqueue_ dequeue_ put_prev set_next load_balance sched_ newidle_ do_sched_yield"
	  " __x64_sys_sched_yield yield_task switch_ __switch_to rcu_ _find_next psi_ reweight place_entity"
	  " check_preempt resched_ preempt_ process_one_work worker_thread cpuacct_ sched native_load_tls"
	  " restore_fpregs raw_spin_rq tg_ throttle_ __calc_delta" },
	{ "interrupts", "handlers of devices",
	  "handle_irq __handle_irq handle_edge handle_softirqs __do_softirq irq_ __irq asm_common_interrupt"
	  " asm_sysvec sysvec_ tasklet_ do_softirq run_ksoftirqd gic_" },
	{ "system calls", "the way in and out of the kernel",
	  "entry_SYSCALL do_syscall syscall_ __x64_sys_ __arm64_sys_ x64_sys_call __do_sys_ __se_sys_"
	  " ret_from_fork el0 do_el0 invoke_syscall srso_ __x86_return __x86_indirect clear_bhb exit_to_user pti_ error_entry"
	  " __task_pid do_getpid __get_task" },
};
/* clang-format on */
const size_t nmechanisms = sizeof(mechanisms) / sizeof(*mechanisms);

/* Does the list of prefixes, separated by blanks, have one of this name? */
static int has_prefix_of(const char *list, const char *name)
{
	while (*list) {
		size_t n = strcspn(list, " ");

		if (!strncmp(name, list, n))
			return 1;
		list += n + strspn(list + n, " ");
	}
	return 0;
}

size_t mechanism_of(const char *function)
{
	for (size_t i = 1; *function && i < nmechanisms; i++)
		if (has_prefix_of(mechanisms[i].prefixes, function))
			return i;
	return MECHANISM_OTHER;
}
