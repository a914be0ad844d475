using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Post.Quic;
using Post.Quic.DependencyInjection;
using Post.Sockets;
using Post.Sockets.Transport;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Post over QUIC.</summary>
public static class PostQuicServiceCollectionExtensions
{
    /// <summary>
    /// Registers Post over QUIC: <see cref="AssociationFactory"/> (what associations are made with), <see cref="PostTransport"/>,
    /// <see cref="PostLocals"/> and the default <see cref="Local"/>, all as singletons. Logging, metrics and the clock are taken from the
    /// container where it has them. Options are validated when the host starts. A <see cref="PostTransport"/> that is registered before
    /// is used instead of one of our engines.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Which engine; null: the defaults.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddPostQuic(this IServiceCollection services, Action<PostQuicOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<PostQuicOptions>().ValidateOnStart();
        if (configure is not null)
        {
            options.Configure(configure);
        }

        services.AddOptions<PostLocalOptions>().ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PostQuicOptions>, PostQuicOptionsValidator>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PostLocalOptions>, PostLocalOptionsValidator>());
        if (!services.Any(static service => service.ServiceType == typeof(PostTransport)))
        {
            services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<PostQuicOptions>, EngineValidator>());
        }

        services.TryAddSingleton(static provider => PostQuicTransport.Create(
            provider.GetRequiredService<IOptions<PostQuicOptions>>().Value,
            provider.GetService<ILoggerFactory>(),
            provider.GetService<TimeProvider>(),
            provider.GetService<IMeterFactory>()));
        services.TryAddSingleton(static provider => new AssociationFactory(
            provider.GetRequiredService<PostTransport>(),
            provider.GetService<ILoggerFactory>(),
            provider.GetService<IMeterFactory>()));
        services.TryAddSingleton(static provider => new PostLocals(
            provider.GetRequiredService<IOptionsMonitor<PostLocalOptions>>(),
            provider.GetService<TimeProvider>(),
            provider.GetService<ILoggerFactory>()));
        services.TryAddSingleton(static provider => provider.GetRequiredService<PostLocals>().Get());
        services.TryAddSingleton(static _ => new PostListeners());
        return services;
    }

    /// <summary>
    /// Registers Post over QUIC from configuration: the section's values are <see cref="PostQuicOptions"/>, its subsection
    /// <c>Local</c> is the default Local, and each subsection of <c>Locals</c> a Local of that name.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configuration">The section, for example <c>builder.Configuration.GetSection("Post")</c>.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddPostQuic(this IServiceCollection services, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddPostQuic();
        services.AddOptions<PostQuicOptions>().Configure(_ => ConfiguredNames.Check(configuration)).Bind(configuration);
        services.AddPostLocal(string.Empty, configuration.GetSection("Local"));
        foreach (var section in configuration.GetSection("Locals").GetChildren())
        {
            services.AddPostLocal(section.Key, section);
        }

        return services;
    }

    /// <summary>Configures a Local: the default one, or a further one of a name of its own.</summary>
    /// <param name="services">The services.</param>
    /// <param name="name">The name; empty: the default Local.</param>
    /// <param name="configure">Its identity, addresses and habits.</param>
    /// <returns>The services. A <see cref="Local"/> can be asked for with the name as service key.</returns>
    public static IServiceCollection AddPostLocal(this IServiceCollection services, string name, Action<PostLocalOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        services.AddNamedLocal(name).Configure(options => LocalBinding.Set(name, options, configure));
        return services;
    }

    /// <inheritdoc cref="AddPostLocal(IServiceCollection, string, Action{PostLocalOptions})"/>
    /// <param name="services">The services.</param>
    /// <param name="name">The name; empty: the default Local.</param>
    /// <param name="configuration">The section with the properties of <see cref="PostLocalOptions"/>.</param>
    public static IServiceCollection AddPostLocal(this IServiceCollection services, string name, IConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        services.AddNamedLocal(name).Configure(options => LocalBinding.Bind(configuration, name, options));
        services.AddSingleton<IOptionsChangeTokenSource<PostLocalOptions>>(
            new ConfigurationChangeTokenSource<PostLocalOptions>(name, configuration));
        return services;
    }

    /// <summary>
    /// Listens as long as the host runs, and serves each association with a handler of its own, resolved in a scope of its own. When the
    /// host stops, it accepts no new associations, signals the handlers, delivers what they have sent, and closes the associations; what is not done
    /// within the host's shutdown timeout is aborted.
    /// </summary>
    /// <typeparam name="THandler">The handler; registered as a scoped service unless it is registered already.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="localName">Which Local listens: its endpoints say where. Empty: the default one.</param>
    /// <param name="configure">How; null: the defaults.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddPostListener<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(
        this IServiceCollection services, string localName = "", Action<ListenerOptions>? configure = null)
        where THandler : class, IPostHandler
    {
        ArgumentNullException.ThrowIfNull(localName);
        services.AddPostQuic();
        services.TryAddScoped<THandler>();
        if (configure is not null)
        {
            services.AddOptions<PostLocalOptions>(localName).Configure(options => LocalBinding.Set(localName, options.Listener, configure));
        }

        // A listener proves its identity: that it lacks one is said at start, not by a handshake that fails.
        services.AddOptions<PostLocalOptions>(localName)
            .Validate(
                static options => options.CertificatePath is not null || options.EphemeralIdentity is not null,
                $"The Local '{localName}' listens, and needs an identity: set CertificatePath, or EphemeralIdentity for development.")
            .ValidateOnStart();
        services.AddSingleton<IHostedService>(provider => new HostedListener<THandler>(provider, localName));
        return services;
    }

    private static OptionsBuilder<PostLocalOptions> AddNamedLocal(this IServiceCollection services, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        services.AddPostQuic();
        services.TryAddKeyedSingleton(name, static (provider, key) => provider.GetRequiredService<PostLocals>().Get((string?)key));
        return services.AddOptions<PostLocalOptions>(name).ValidateOnStart();
    }
}
