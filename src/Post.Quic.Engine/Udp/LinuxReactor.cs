using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Post.Quic.Engine.Udp;

/// <summary>
/// A thread that waits (epoll) for its sockets to become readable or writable and calls them. One shared by all client
/// sockets, and one for each socket that wants its own: no pool thread waits for the network, and a datagram is in the
/// receiver's hands one wake-up after it arrived.
/// </summary>
internal sealed unsafe class LinuxReactor
{
    private const int EventsPerWait = 64;

    /// <summary>The token of the event descriptor; sockets have their slot's index.</summary>
    private const ulong WakeToken = ulong.MaxValue;

    private static readonly Lazy<LinuxReactor> LazyShared = new(() => new LinuxReactor("Post.Quic UDP", endsWhenEmpty: false));

    private readonly Lock _gate = new();
    private readonly Stack<int> _freeSlots = new();
    private readonly List<LinuxUdpSocket> _closing = [];
    private readonly bool _endsWhenEmpty;
    private readonly int _epoll;
    private readonly int _wake;
    private LinuxUdpSocket?[] _slots = new LinuxUdpSocket?[4];
    private int _used;
    private int _count;
    private bool _wakePending;

    /// <summary>What the next call receives into; the receiver may take it, so it is replaced when it is needed.</summary>
    private UdpBuffer? _buffer;

    private LinuxReactor(string name, bool endsWhenEmpty)
    {
        _endsWhenEmpty = endsWhenEmpty;
        _epoll = Check(LinuxNative.EpollCreate(LinuxNative.EpollCloseOnExec));
        _wake = Check(LinuxNative.EventDescriptor(0, LinuxNative.EventCloseOnExec | LinuxNative.EventNonBlocking));
        Control(LinuxNative.EpollAdd, _wake, LinuxNative.EpollIn, WakeToken);

        // It serves all sockets of the process: what flows with the call that happens to come first must not flow with it.
        new Thread(Run) { IsBackground = true, Name = name }.UnsafeStart();
    }

    public static LinuxReactor Shared => LazyShared.Value;

    public static LinuxReactor CreateDedicated(int port) => new($"Post.Quic UDP {port}", endsWhenEmpty: true);

    /// <summary>Calls the socket from now on, until <see cref="Remove"/>. Returns the token for the other calls.</summary>
    public int Add(LinuxUdpSocket socket, int descriptor)
    {
        lock (_gate)
        {
            if (!_freeSlots.TryPop(out int slot))
            {
                slot = _used++;
                if (slot == _slots.Length)
                {
                    Array.Resize(ref _slots, _slots.Length * 2);
                }
            }

            _slots[slot] = socket;
            _count++;
            Control(LinuxNative.EpollAdd, descriptor, LinuxNative.EpollIn, (ulong)slot);
            return slot;
        }
    }

    /// <summary>Asks for a call when the socket is writable, or for no more of them.</summary>
    public void WatchWritable(int token, int descriptor, bool watch) =>
        Control(LinuxNative.EpollModify, descriptor, LinuxNative.EpollIn | (watch ? LinuxNative.EpollOut : 0), (ulong)token);

    /// <summary>The reactor's thread lets go of the socket and then calls <see cref="LinuxUdpSocket.OnRemoved"/>.</summary>
    public void Remove(LinuxUdpSocket socket)
    {
        lock (_gate)
        {
            _closing.Add(socket);
            if (_wakePending)
            {
                return;
            }

            _wakePending = true;
        }

        ulong one = 1;
        _ = LinuxNative.Write(_wake, &one, sizeof(ulong));
    }

    private static int Check(int result) =>
        result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private void Run()
    {
        byte* events = stackalloc byte[EventsPerWait * LinuxNative.EpollEventSize];
        while (true)
        {
            int count = LinuxNative.EpollWait(_epoll, events, EventsPerWait, -1);
            if (count < 0)
            {
                // Only a signal interrupts a wait on descriptors that are ours.
                Debug.Assert(Marshal.GetLastPInvokeError() == LinuxNative.Interrupted, "epoll_wait failed.");
                continue;
            }

            bool woken = false;
            for (int i = 0; i < count; i++)
            {
                byte* entry = events + (i * LinuxNative.EpollEventSize);
                uint ready = *(uint*)entry;
                ulong token = Unaligned(entry + LinuxNative.EpollDataOffset);
                if (token == WakeToken)
                {
                    woken = true;
                    continue;
                }

                // Slots are freed on this thread only, after the events of a wait: a token cannot mean another socket.
                if (_slots[token] is LinuxUdpSocket socket)
                {
                    socket.OnReady(ready, ref _buffer);
                }
            }

            if (woken && !ReleaseClosing())
            {
                return;
            }
        }
    }

    private static ulong Unaligned(byte* pointer) => MemoryMarshal.Read<ulong>(new ReadOnlySpan<byte>(pointer, sizeof(ulong)));

    /// <summary>False: this was the last socket of a reactor that had only it.</summary>
    private bool ReleaseClosing()
    {
        ulong counter;
        _ = LinuxNative.Read(_wake, &counter, sizeof(ulong));
        LinuxUdpSocket[] closing;
        bool ends;
        lock (_gate)
        {
            _wakePending = false;
            closing = [.. _closing];
            _closing.Clear();
            foreach (LinuxUdpSocket socket in closing)
            {
                Control(LinuxNative.EpollDelete, socket.Descriptor, 0, 0);
                _slots[socket.Token] = null;
                _freeSlots.Push(socket.Token);
                _count--;
            }

            ends = _endsWhenEmpty && _count == 0;
        }

        foreach (LinuxUdpSocket socket in closing)
        {
            socket.OnRemoved();
        }

        if (ends)
        {
            _ = LinuxNative.Close(_wake);
            _ = LinuxNative.Close(_epoll);
            if (_buffer is not null)
            {
                UdpBufferPool.Shared.Return(_buffer);
            }
        }

        return !ends;
    }

    private void Control(int operation, int descriptor, uint events, ulong token)
    {
        byte* entry = stackalloc byte[LinuxNative.EpollEventSize];
        new Span<byte>(entry, LinuxNative.EpollEventSize).Clear();
        *(uint*)entry = events;
        MemoryMarshal.Write(new Span<byte>(entry + LinuxNative.EpollDataOffset, sizeof(ulong)), token);
        int result = LinuxNative.EpollControl(_epoll, operation, descriptor, entry);
        if (operation == LinuxNative.EpollAdd)
        {
            Check(result);
        }
    }
}
