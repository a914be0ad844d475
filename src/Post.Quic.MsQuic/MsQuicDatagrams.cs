using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Post.Quic.MsQuic.Native;
using Post.Sockets.Transport;

namespace Post.Quic.MsQuic;

/// <summary>
/// Sends the datagrams of one connection, by rank and not past their deadlines, and reports each one's fate once. msquic
/// takes datagrams in order and never gives one back, so it gets few at a time and the rest wait here.
/// </summary>
/// <param name="table">The native functions.</param>
/// <param name="handle">The connection.</param>
/// <param name="time">The clock.</param>
/// <param name="report">Takes note of what became of a datagram; called under a lock.</param>
/// <param name="resized">Takes note of another largest size; called under a lock.</param>
/// <param name="flush">Raises what was noted; called without a lock.</param>
[SupportedOSPlatform("linux")]
[SupportedOSPlatform("macos")]
[SupportedOSPlatform("windows")]
internal sealed unsafe class MsQuicDatagrams(
    MsQuicTable table, SafeHandle handle, TimeProvider time, Action<long, TransportDatagramState> report, Action<int> resized, Action flush)
{
    /// <summary>Datagrams waiting here: what a burst may hold before the caller hears that it is too fast.</summary>
    private const int MaxWaiting = 1024;

    /// <summary>
    /// Datagrams that msquic has and did not send yet: enough for a batch, few enough for rank and deadline to count.
    /// </summary>
    private const int MaxUnsent = 16;

    /// <summary>
    /// A burst may wait, a standing queue may not: its datagrams would grow old here, where they cannot be given up, instead of at
    /// the caller.
    /// </summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(10);

    /// <summary>Datagrams whose fate is open, so their memory is held: some MiB on a path that acknowledges nothing.</summary>
    private const int MaxOpen = 8192;

    /// <summary>Blocks kept for reuse.</summary>
    private const int MaxSpare = 64;

    private const int NoSlot = -1;

    private static readonly int BlockHeader = sizeof(NativeBuffer);

    private readonly Lock _gate = new();
    private readonly PriorityQueue<int, (int Niceness, long Deadline, long Turn)> _waiting = new();
    private readonly List<Slot> _slots = [];
    private readonly Stack<int> _freeSlots = new();
    private readonly Stack<(nint Block, int Size)> _spare = new();
    private long _turn;
    private long _waitsSince;
    private int _unsent;
    private int _open;
    private int _maxSize;
    private bool _ended;

    /// <summary>The largest datagram; 0 while there are none.</summary>
    public int MaxSize => Volatile.Read(ref _maxSize);

    public void Resize(int maxSize)
    {
        lock (_gate)
        {
            ResizeCore(maxSize);
        }

        flush();
    }

    public TransportDatagramResult TrySend(ReadOnlySpan<byte> payload, in TransportPriority priority, long token)
    {
        TransportDatagramResult result;
        lock (_gate)
        {
            result = TrySendCore(payload, priority, token);
        }

        flush();
        return result;
    }

    /// <summary>msquic said what became of one. Called in its callback, so the handle is valid.</summary>
    public void OnState(nint context, int state)
    {
        lock (_gate)
        {
            OnStateCore(context, state);
        }

        flush();
    }

    /// <summary>The connection has ended and msquic holds nothing any more.</summary>
    public void End()
    {
        lock (_gate)
        {
            EndCore();
        }

        flush();
    }

    private void ResizeCore(int maxSize)
    {
        Volatile.Write(ref _maxSize, maxSize);
        resized(maxSize);
    }

    private TransportDatagramResult TrySendCore(ReadOnlySpan<byte> payload, in TransportPriority priority, long token)
    {
        if (_ended || _maxSize == 0 || payload.Length > _maxSize)
        {
            return Refusal(payload.Length);
        }

        if (_waiting.Count >= MaxWaiting || _open >= MaxOpen || IsStanding())
        {
            return TransportDatagramResult.Full;
        }

        if (_waiting.Count == 0)
        {
            _waitsSince = time.GetTimestamp();
        }

        int index = Take(payload, token, priority.Deadline);
        _waiting.Enqueue(index, (priority.Niceness, priority.Deadline, _turn++));
        bool held = false;
        try
        {
            handle.DangerousAddRef(ref held);
            return Pump(index) ? TransportDatagramResult.Queued : Refusal(payload.Length);
        }
        catch (ObjectDisposedException)
        {
            // It is closing: the end of the connection reports what waits.
            return TransportDatagramResult.Queued;
        }
        finally
        {
            if (held)
            {
                handle.DangerousRelease();
            }
        }
    }

    private void OnStateCore(nint context, int state)
    {
        int index = (int)context - 1;
        if ((uint)index >= (uint)_slots.Count || !_slots[index].IsOpen)
        {
            return;
        }

        Slot slot = _slots[index];
        switch (state)
        {
            case NativeNumbers.DatagramSent:
                Sent(slot);
                report(slot.Token, TransportDatagramState.Sent);
                break;
            case NativeNumbers.DatagramLostSuspect:
                // Post sends again what is taken for lost, so the suspicion is what counts, and a late arrival is not reported.
                Settle(slot, TransportDatagramState.Lost);
                break;
            case NativeNumbers.DatagramLostDiscarded:
                Settle(slot, TransportDatagramState.Lost);
                Release(index);
                break;
            case NativeNumbers.DatagramAcknowledged or NativeNumbers.DatagramAcknowledgedSpurious:
                Settle(slot, TransportDatagramState.Acknowledged);
                Release(index);
                break;
            case NativeNumbers.DatagramCanceled:
                Settle(slot, TransportDatagramState.Canceled);
                Release(index);
                break;
            default:
                return;
        }

        Pump();
    }

    private void EndCore()
    {
        _ended = true;
        _waiting.Clear();
        for (int i = 0; i < _slots.Count; i++)
        {
            if (_slots[i].IsOpen)
            {
                Settle(_slots[i], _slots[i].IsSent ? TransportDatagramState.Lost : TransportDatagramState.Canceled);
                Release(i);
            }
        }

        while (_spare.TryPop(out (nint Block, int Size) spare))
        {
            NativeMemory.Free((void*)spare.Block);
        }
    }

    private bool IsStanding() => _waiting.Count > 0 && time.GetElapsedTime(_waitsSince) > LongestWait;

    private TransportDatagramResult Refusal(int size) =>
        !_ended && size > _maxSize && _maxSize > 0 ? TransportDatagramResult.TooLarge : TransportDatagramResult.Unavailable;

    /// <summary>Hands over what waits, as far as msquic is to have it.</summary>
    /// <param name="offered">What is being offered by <see cref="TrySend"/>: if it is refused the caller is told so, and nothing is reported.</param>
    /// <returns>Whether that is taken.</returns>
    private bool Pump(int offered = NoSlot)
    {
        bool isTaken = true;
        while (!_ended && _unsent < MaxUnsent && _waiting.TryDequeue(out int index, out _))
        {
            Slot slot = _slots[index];
            long now = time.GetTimestamp();
            if (slot.Deadline != TransportPriority.NoDeadline && slot.Deadline < now)
            {
                Settle(slot, TransportDatagramState.Canceled);
                Release(index);
                continue;
            }

            if (!TryHandOver(index, slot))
            {
                isTaken &= index != offered;
                slot.IsReported = index == offered;
                Settle(slot, TransportDatagramState.Canceled);
                Release(index);
            }
        }

        return isTaken;
    }

    private bool TryHandOver(int index, Slot slot)
    {
        var buffer = (NativeBuffer*)slot.Block;
        int size = (int)buffer->Length;
        if (size > _maxSize)
        {
            return false;
        }

        slot.IsUnsent = true;
        _unsent++;
        int status = table.SendDatagram(handle.DangerousGetHandle(), buffer, index + 1);
        if (NativeNumbers.Succeeded(status))
        {
            return true;
        }

        // What msquic refuses once it refuses always, so the size that was known is not the true one: the path has shrunk, the peer
        // announced less than what a server can but suppose, or the connection is closing. Kept, it would be offered without end.
        if (status == NativeNumbers.InvalidState)
        {
            ResizeCore(0);
        }
        else if (status == NativeNumbers.InvalidParameter)
        {
            ResizeCore(Math.Max(0, size - 1));
        }

        return false;
    }

    private int Take(ReadOnlySpan<byte> payload, long token, long deadline)
    {
        if (!_freeSlots.TryPop(out int index))
        {
            index = _slots.Count;
            _slots.Add(new Slot());
        }

        Slot slot = _slots[index];
        int size = BlockHeader + payload.Length;
        if (!_spare.TryPop(out (nint Block, int Size) block) || block.Size < size)
        {
            NativeMemory.Free((void*)block.Block);
            block = ((nint)NativeMemory.Alloc((nuint)size), size);
        }

        var buffer = (NativeBuffer*)block.Block;
        buffer->Length = (uint)payload.Length;
        buffer->Bytes = (byte*)buffer + BlockHeader;
        payload.CopyTo(new Span<byte>(buffer->Bytes, payload.Length));
        slot.Open(token, deadline, block);
        _open++;
        return index;
    }

    private void Settle(Slot slot, TransportDatagramState state)
    {
        Sent(slot);
        if (!slot.IsReported)
        {
            slot.IsReported = true;
            report(slot.Token, state);
        }
    }

    private void Sent(Slot slot)
    {
        if (slot.IsUnsent)
        {
            slot.IsUnsent = false;
            slot.IsSent = true;
            _unsent--;
        }
    }

    private void Release(int index)
    {
        Slot slot = _slots[index];
        if (_ended || _spare.Count >= MaxSpare)
        {
            NativeMemory.Free((void*)slot.Block);
        }
        else
        {
            _spare.Push((slot.Block, slot.BlockSize));
        }

        slot.IsOpen = false;
        _freeSlots.Push(index);
        _open--;
    }

    private sealed class Slot
    {
        public long Token { get; private set; }

        public long Deadline { get; private set; }

        public nint Block { get; private set; }

        public int BlockSize { get; private set; }

        public bool IsOpen { get; set; }

        public bool IsUnsent { get; set; }

        public bool IsSent { get; set; }

        public bool IsReported { get; set; }

        public void Open(long token, long deadline, (nint Address, int Size) block)
        {
            Token = token;
            Deadline = deadline;
            (Block, BlockSize) = block;
            IsOpen = true;
            IsUnsent = IsSent = IsReported = false;
        }
    }
}
