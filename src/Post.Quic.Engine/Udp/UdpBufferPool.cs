using Post.Quic.Engine.Bounds;

namespace Post.Quic.Engine.Udp;

/// <summary>Receive buffers that are free. Thread-safe; beyond its bound the garbage collector has them.</summary>
internal sealed class UdpBufferPool(int capacity)
{
    private readonly Lock _gate = new();
    private readonly UdpBuffer?[] _free = new UdpBuffer?[capacity];
    private int _count;

    public static UdpBufferPool Shared { get; } = new(Limits.PooledReceiveBuffers);

    public UdpBuffer Rent()
    {
        lock (_gate)
        {
            if (_count > 0)
            {
                ref UdpBuffer? slot = ref _free[--_count];
                UdpBuffer buffer = slot!;
                slot = null;
                return buffer;
            }
        }

        return new UdpBuffer();
    }

    public void Return(UdpBuffer buffer)
    {
        lock (_gate)
        {
            if (_count < _free.Length)
            {
                _free[_count++] = buffer;
            }
        }
    }
}
