using Post.Quic.SystemNetQuic;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Post.Quic.MsQuic;

/// <summary>
/// The rank of one stream. Telling msquic waits for its worker, so it is told only what it needs to know: nothing before there are
/// bytes to send or while the rank is what every stream has by itself, and else on a thread of the pool. A rank speaks of
/// the time that is left, so it is looked at again with each write: a stream comes closer to its deadline.
/// </summary>
internal sealed class StreamRanking(Action<ushort> tell, TimeProvider time) : IStreamRanking, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private TransportPriority _priority = new(ObjectProperties.DefaultNiceness, TransportPriority.NoDeadline, Incremental: true, Order: 0);
    private ushort _told = StreamRank.Default;
    private bool _isSending;
    private bool _isTelling;

    /// <summary>The rank of what is still to be sent. Never waits.</summary>
    public void Set(in TransportPriority priority)
    {
        lock (_gate)
        {
            _priority = priority;
            if (!_isSending || !TryBeginToTell())
            {
                return;
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Bytes are about to be handed over: the first ones wait until the rank is told, later ones do not.</summary>
    public Task BeforeWriteAsync()
    {
        lock (_gate)
        {
            bool isFirst = !_isSending;
            _isSending = true;
            if (!TryBeginToTell())
            {
                return Task.CompletedTask;
            }

            if (isFirst)
            {
                return Task.Run(Tell);
            }
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        return Task.CompletedTask;
    }

    void IThreadPoolWorkItem.Execute() => Tell();

    private bool TryBeginToTell()
    {
        if (_isTelling || StreamRank.Of(_priority, time) == _told)
        {
            return false;
        }

        _isTelling = true;
        return true;
    }

    private void Tell()
    {
        while (true)
        {
            ushort rank;
            lock (_gate)
            {
                rank = StreamRank.Of(_priority, time);
                if (rank == _told)
                {
                    _isTelling = false;
                    return;
                }

                _told = rank;
            }

            tell(rank);
        }
    }
}
