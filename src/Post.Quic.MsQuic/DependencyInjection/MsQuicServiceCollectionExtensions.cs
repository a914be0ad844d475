using Post.Quic.MsQuic;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what msquic adds to System.Net.Quic.</summary>
public static class MsQuicServiceCollectionExtensions
{
    /// <summary>
    /// Registers Post over QUIC, if it is not yet, with msquic's extras (<see cref="MsQuicOptionsExtensions.UseMsQuicExtras"/>), whatever configuration
    /// states.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddPostMsQuic(this IServiceCollection services) =>
        services.AddPostQuic(static options => options.UseMsQuicExtras());
}
