using Post.Quic.Benchmarks.Cases.Objects;
using Post.Quic.Benchmarks.Cases.Streams;
using Post.Sockets;

namespace Post.Quic.Benchmarks.Cases;

/// <summary>All cases, in the order in which they are listed and run.</summary>
internal static class CaseCatalog
{
    public static IReadOnlyList<BenchCase> All { get; } =
    [
        new StreamBulkCase(),
        new StreamRateCase(1),
        new StreamRateCase(64),
        new WholeStreamRateCase(1, 1024),
        new WholeStreamRateCase(64, 1024),
        new WholeStreamRateCase(1, 64),
        new WholeStreamRateCase(1, 8192),
        new StreamEchoCase(),
        new HandshakeCase(resumed: false),
        new HandshakeCase(resumed: true),
        new IdleConnectionsCase(),
        new TwoPathsCase(),
        new ObjectBulkCase(1),
        new ObjectBulkCase(64),
        new ObjectRateCase(1, datagrams: false),
        new ObjectRateCase(64, datagrams: false),
        new ObjectRateCase(1, datagrams: false, 64),
        new ObjectRateCase(1, datagrams: false, 8192),
        new ObjectRateCase(1, datagrams: true),
        new ObjectRateCase(64, datagrams: true),
        new ObjectEchoCase(besideBulk: false),
        new ObjectEchoCase(besideBulk: true),
        new AssociationRateCase(resumed: false),
        new AssociationRateCase(resumed: true),
        new DeadlineCase(0.01),
        new DeadlineCase(0.05),
        new DeadlineCase(0.1),
        new DeadlineCase(0.01, CongestionControl.Cubic),
        new DeadlineCase(0.05, CongestionControl.Cubic),
        new DeadlineCase(0.1, CongestionControl.Cubic),
        new DeadlineCase(0.05, CongestionControl.NewReno),
        new LossyPathsCase(),
        new UrgentBesideBulkCase(),
        new UrgentBesideBulkCase(CongestionControl.Cubic),
        new LossyGoodputCase(),
        new LossyGoodputCase(CongestionControl.Bbr),
        new LossyGoodputCase(CongestionControl.NewReno),
        new IdleAssociationsCase(),
        new IdleAssociationsCase(10_000),
        new ManyAssociationsCase(),
        new InMemoryCase(),
        new LinkCase(),
    ];
}
