using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;
using Post.Quic.Engine.Lanes;

namespace Post.Quic.Engine.Connection;

/// <summary>A part of a packet that waits to be sent again by other paths. The object and its memory are used again.</summary>
internal sealed class PacketCopy
{
    private readonly uint[] _used = new uint[Limits.MaxPaths];
    private byte[] _payload = [];
    private SentFrame[] _frames = [];
    private int _length;
    private int _frameCount;
    private int _usedCount;

    /// <summary>By how many paths it is still to go.</summary>
    public int Left { get; set; }

    /// <summary>The last frame ends with its packet, so that nothing may follow it.</summary>
    public bool IsFull { get; private set; }

    /// <summary>What it repeats for the last time: where there is no other path, it goes by the same once more. Null where that is nothing.</summary>
    public LastTry? LastTry { get; private set; }

    /// <summary>The path that it went by first.</summary>
    public uint FirstPath => _used[0];

    /// <summary>The paths that it may go by.</summary>
    public PathSet Paths { get; private set; } = PathSet.Any;

    public ReadOnlySpan<byte> Payload => _payload.AsSpan(0, _length);

    public ReadOnlySpan<SentFrame> Frames => _frames.AsSpan(0, _frameCount);

    /// <summary>It went by this path already.</summary>
    public bool WentBy(uint pathId) => _used.AsSpan(0, _usedCount).Contains(pathId);

    public void Fill(ReadOnlySpan<byte> payload, bool isFull, SentFrameLog log, int frames, uint pathId, PathSet paths, int copies, LastTry? lastTry)
    {
        if (_frames.Length < frames)
        {
            _frames = new SentFrame[Math.Max(frames, 2 * _frames.Length)];
        }

        if (_payload.Length < payload.Length)
        {
            _payload = new byte[payload.Length];
        }

        log.CopyPending(_frames.AsSpan(0, frames));
        payload.CopyTo(_payload);
        _length = payload.Length;
        _frameCount = frames;
        IsFull = isFull;
        LastTry = lastTry;
        Paths = paths;
        Left = Math.Min(copies, _used.Length - 1);
        _used[0] = pathId;
        _usedCount = 1;
    }

    public void OnSent(uint pathId)
    {
        _used[_usedCount++] = pathId;
        Left--;
    }
}
