namespace Post.Sockets.Tests.Chaos;

/// <summary>One direction of a random world: what one side sends, and what the other side's application sees of it.</summary>
internal sealed class ChaosDirection
{
    private readonly Association _from;
    private readonly PostWorld _world;
    private readonly Random _random;
    private readonly List<SentObject> _sent = [];
    private readonly Dictionary<long, TimeSpan> _sentAt = [];
    private readonly Dictionary<long, byte[]> _bytes = [];
    private readonly Dictionary<long, long> _offsets = [];
    private readonly HashSet<long> _delivered = [];
    private readonly Dictionary<long, int> _seen = [];
    private readonly Dictionary<long, int> _ends = [];
    private readonly List<Exception> _failures = [];

    public ChaosDirection(Association from, Association to, PostWorld world, Random random)
    {
        _from = from;
        _world = world;
        _random = random;
        var slow = random.Next(3) == 0;
        from.Register<ObjectCompleted>(e => _ends[e.Object.Id] = _ends.GetValueOrDefault(e.Object.Id) + 1);
        to.Register<HandlerFailed>(f => _failures.Add(f.Exception));
        to.Register<Received>(async received =>
        {
            var item = received.Object;
            Assert.IsTrue(_seen.TryAdd(item.Id, _seen.Count), $"{item.Id} delivered twice");
            Assert.IsTrue(item.RemainingLifetime != TimeSpan.Zero, $"{item.Id} delivered after its lifetime");
            Assert.IsTrue(
                _sent[(int)item.Id].Properties.Lifetime is var lifetime
                    && (lifetime == Timeout.InfiniteTimeSpan || world.Network.Clock.Elapsed - _sentAt[item.Id] <= lifetime + TimeSpan.FromSeconds(2)),
                $"{item.Id} delivered {world.Network.Clock.Elapsed - _sentAt[item.Id]} after it was sent for {_sent[(int)item.Id].Properties.Lifetime}, {received.Object.RemainingLifetime} left, {item.Length} bytes");
            Assert.IsTrue(item.DurableId.Span.SequenceEqual(_sent[(int)item.Id].Properties.DurableId.Span) || item.DurableId.IsEmpty);
            if (item.IsIncremental)
            {
                try
                {
                    if (item.CanResume && random.Next(3) > 0)
                    {
                        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(100)), world.Network.Clock).ConfigureAwait(false);
                        item.ResumeFrom(random.Next(_bytes[item.Id].Length + 1));
                    }

                    using var all = new MemoryStream();
                    await item.AsStream().CopyToAsync(all).ConfigureAwait(false);
                    Assert.IsTrue(all.ToArray().AsSpan().SequenceEqual(_bytes[item.Id].AsSpan((int)item.Offset)), $"bytes of {item.Id} from {item.Offset}");
                    _offsets[item.Id] = item.Offset;
                }
                catch (PostException)
                {
                    // Broken off: it does not count as delivered.
                    return;
                }
            }
            else
            {
                Assert.IsTrue(item.ToArray().AsSpan().SequenceEqual(_bytes[item.Id]), $"bytes of {item.Id}");
            }

            _delivered.Add(item.Id);
            if (slow)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), world.Network.Clock).ConfigureAwait(false);
            }
        });
    }

    public IReadOnlyList<SentObject> Sent => _sent;

    /// <summary>Sends a number of objects of all kinds.</summary>
    public async Task SendAsync(int count)
    {
        for (var i = 0; i < count && !_from.Completion.IsCompleted; i++)
        {
            var bytes = new byte[_random.Next(5) switch { 0 => _random.Next(10), 1 or 2 => _random.Next(1300), 3 => _random.Next(30_000), _ => _random.Next(90_000) }];
            _random.NextBytes(bytes);
            var properties = new ObjectProperties
            {
                Lifetime = _random.Next(2) == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(_random.Next(1, 6000)),
                Niceness = _random.Next(4),
                Antecedents = [.. Enumerable.Range(0, _random.Next(3)).Where(_ => _sent.Count > 0 && _random.Next(2) == 0).Select(_ => _sent[^_random.Next(1, Math.Min(_sent.Count, 20) + 1)])],
                AntecedentPolicy = (AntecedentPolicy)_random.Next(2),
                Immediate = _random.Next(4) == 0,
                Retransmit = _random.Next(6) != 0,
                DurableId = _random.Next(4) == 0 ? BitConverter.GetBytes(_sent.Count) : default,
            };
            try
            {
                _bytes[_sent.Count] = bytes;
                _sentAt[_sent.Count] = _world.Network.Clock.Elapsed;
                _sent.Add(_random.Next(7) switch
                {
                    3 => _from.Send((offset, _) => ValueTask.FromResult<Stream>(new MemoryStream(bytes, (int)offset, bytes.Length - (int)offset)), bytes.Length, properties),
                    0 => _from.Send(new MemoryStream(bytes), properties),
                    1 => _from.Send(new OnceOnlyStream(bytes), properties),
                    2 => _from.Send(new System.Buffers.ReadOnlySequence<byte>(bytes), properties),
                    _ => _from.Send(bytes, properties),
                });
            }
            catch (PostException)
            {
                // The association has ended.
                break;
            }

            if (_random.Next(15) == 0)
            {
                _sent[_random.Next(_sent.Count)].Cancel();
            }

            if (_random.Next(15) == 0)
            {
                _sent[_random.Next(_sent.Count)].Reprioritize(_random.Next(4));
            }

            if (_random.Next(2) == 0)
            {
                await _world.DelayAsync(_random.Next(60));
            }
        }
    }

    /// <summary>When all that was sent has its end.</summary>
    public async Task CompletionAsync()
    {
        foreach (var item in _sent)
        {
            await item.Completion;
        }
    }

    /// <summary>The promises that hold in all worlds.</summary>
    public void Check(string which, ChaosWorlds worlds)
    {
        Assert.IsEmpty(_failures, $"{which}: {_failures.FirstOrDefault()}");
        Assert.AreEqual(0, _from.PendingObjects, which);
        Assert.AreEqual(0, _from.QueuedBytes, which);
        foreach (var item in _sent)
        {
            var receipt = item.Receipt!;
            Assert.AreEqual(1, _ends[item.Id], $"{which}: {item.Id} ended {_ends[item.Id]} times");
            worlds.OnEnded(receipt);
            if (receipt.IsAcked)
            {
                Assert.IsTrue(_delivered.Contains(item.Id), $"{which}: {item.Id} acked and never delivered");
                Assert.AreEqual(_offsets.GetValueOrDefault(item.Id), item.Offset, $"{which}: where {item.Id} begins");
            }

            if (!_delivered.Contains(item.Id))
            {
                continue;
            }

            foreach (var antecedent in item.Properties.Antecedents)
            {
                if (_delivered.Contains(antecedent.Id))
                {
                    Assert.IsLessThan(_seen[item.Id], _seen[antecedent.Id], $"{which}: {item.Id} before its antecedent {antecedent.Id}, which ended {antecedent.Receipt!.Outcome} ({antecedent.Receipt.Reason}), by {item.Properties.AntecedentPolicy}");
                }
                else
                {
                    Assert.AreEqual(AntecedentPolicy.Order, item.Properties.AntecedentPolicy, $"{which}: {item.Id} without the {antecedent.Id} it requires");
                }
            }
        }
    }

    private sealed class OnceOnlyStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
