using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Threading.Channels;
using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Udp;

namespace Post.Quic.Engine.Tests.Udp;

/// <summary>Copies what arrives, datagram by datagram, for a test to wait for.</summary>
internal sealed class CollectingReceiver : IUdpReceiver
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Channel<Datagram> _datagrams = Channel.CreateUnbounded<Datagram>();
    private readonly TaskCompletionSource _writable = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    public int Calls => Volatile.Read(ref _calls);

    /// <summary>Datagrams of the largest batch that one call brought.</summary>
    public int LargestBatch { get; private set; }

    public void OnReceive(UdpReceiveBatch batch)
    {
        Interlocked.Increment(ref _calls);
        Span<byte> data = batch.Data;
        int count = 0;
        do
        {
            int length = Math.Min(batch.SegmentSize, data.Length);
            _datagrams.Writer.TryWrite(
                new Datagram(data[..length].ToArray(), batch.Local, batch.Remote, batch.InterfaceIndex, batch.Ecn, batch.Age));
            data = data[length..];
            count++;
        }
        while (!data.IsEmpty);
        LargestBatch = Math.Max(LargestBatch, count);
    }

    /// <summary>What the network said of datagrams, with how they begin.</summary>
    public ConcurrentQueue<(NetworkAddress Remote, SocketError Error, byte[] Quoted)> Errors { get; } = new();

    public void OnError(in UdpError error) => Errors.Enqueue((error.Remote, error.Error, error.Quoted.ToArray()));

    public void OnWritable() => _writable.TrySetResult();

    public async Task<Datagram> NextAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _datagrams.Reader.ReadAsync(patience.Token);
    }

    public bool HasMore => _datagrams.Reader.Count > 0;

    public Task WritableAsync() => _writable.Task.WaitAsync(Patience);

    internal sealed record Datagram(
        byte[] Bytes, NetworkAddress Local, NetworkAddress Remote, int InterfaceIndex, EcnCodepoint Ecn, long Age);
}
